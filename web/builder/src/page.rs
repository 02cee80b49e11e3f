//! The two forms of the page: one that loads its scripts from where it lies, and one that holds everything.
//!
//! Both forbid every request. Where scripts are inside, one of them packed, the policy lists their digests, so a page
//! into which somebody wrote a script of their own does not run it.

use std::error::Error;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

/// Where the policy, the style and the scripts go in `index.html`.
const PLACES: [&str; 3] = ["<!-- policy -->", "<!-- style -->", "<!-- scripts -->"];

/// The way to the documents in `index.html`: they lie beside the page that loads its scripts, and not beside the other.
const DOCUMENTS: &str = "<p><a href=\"docs/index.html\" data-say=\"documents\"></a></p>\n";

/// Unpacks the page's style and script and puts them there: the policy has the digests of both.
const BEGIN: &str = "\
for (const kind of [\"style\", \"script\"]) {
ENGINE.unpack();
const element = document.createElement(kind);
element.textContent = new TextDecoder().decode(ENGINE.take());
document.body.append(element);
}
";

/// What a page is made of.
pub(crate) struct Parts<'a> {
    pub(crate) html: &'a str,
    pub(crate) style: &'a str,
    pub(crate) app: &'a str,
}

impl Parts<'_> {
    /// The page that loads `style.css`, `engine.js` and `app.js`.
    pub(crate) fn linked(&self) -> Result<String, Box<dyn Error>> {
        let scripts = "<script src=\"engine.js\"></script>\n<script src=\"app.js\"></script>";
        let head = format!("<meta charset=\"utf-8\">\n{}", policy("'self'", "'self'"));
        self.put(&head, "<link rel=\"stylesheet\" href=\"style.css\">", scripts)
    }

    /// The page that holds everything: `packed` is the script that has the engine, and this page's own.
    pub(crate) fn single(&self, packed: &str) -> Result<String, Box<dyn Error>> {
        if packed.contains("</script") || packed.contains("<!--") {
            return Err("a script would end too early inside a page".into());
        }
        let held = format!("{packed}{BEGIN}");
        let sums = [sum(&held), sum(self.app)].join(" ");
        if self.html.matches(DOCUMENTS).count() != 1 {
            return Err("index.html must lead to the documents once".into());
        }
        let alone = Parts { html: &self.html.replace(DOCUMENTS, ""), ..*self };
        alone.put(&policy(&sums, &sum(self.style)), "", &format!("<script>{held}</script>"))
    }

    fn put(&self, policy: &str, style: &str, scripts: &str) -> Result<String, Box<dyn Error>> {
        if let Some(place) = PLACES.iter().find(|place| self.html.matches(**place).count() != 1) {
            return Err(format!("index.html must have {place} once").into());
        }
        let [policy_place, style_place, scripts_place] = PLACES;
        // Scripts last: what they hold is looked at no more.
        Ok(self.html.replace(policy_place, policy).replace(style_place, style).replace(scripts_place, scripts))
    }
}

/// Nothing may be requested: not by the page, and not by its workers, which inherit this.
fn policy(scripts: &str, styles: &str) -> String {
    let parts = [
        "default-src 'none'".to_owned(),
        format!("script-src {scripts} 'wasm-unsafe-eval'"),
        format!("style-src {styles}"),
        "worker-src blob:".to_owned(),
        "connect-src 'none'".to_owned(),
        // The sign of the tab, which the page draws.
        "img-src data:".to_owned(),
        "form-action 'none'".to_owned(),
        "base-uri 'none'".to_owned(),
    ];
    format!("<meta http-equiv=\"Content-Security-Policy\" content=\"{}\">", parts.join("; "))
}

/// A text in UTF-16, as which what is packed is smallest. Its mark says so, whatever a server says.
pub(crate) fn utf16(text: &str) -> Vec<u8> {
    std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
}

/// A digest as a policy writes it.
fn sum(text: &str) -> String {
    format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text.as_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HTML: &str = "<!-- policy --><!-- style --><body>\
        <p><a href=\"docs/index.html\" data-say=\"documents\"></a></p>\n<!-- scripts -->";

    #[test]
    fn the_policy_lists_the_digests_of_what_is_inside() {
        let parts = Parts { html: HTML, style: "", app: "alert(1)" };
        let page = parts.single("<!- - policy -->").unwrap();
        assert!(page.contains("connect-src 'none'") && page.contains("default-src 'none'"), "{page}");
        // As `openssl dgst -sha256 -binary | base64` writes them.
        assert!(page.contains("'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='"), "{page}");
        assert!(page.contains("'sha256-bhHHL3z2vDgxUt0W3dWQOrprscmda2Y5pLsLg4GF+pI='"), "{page}");
        assert!(page.contains("<script><!- - policy -->") && !page.contains("alert(1)"), "{page}");
        assert!(!page.contains("docs/") && parts.linked().unwrap().contains("docs/index.html"), "{page}");
        assert!(parts.linked().unwrap().contains("script-src 'self' 'wasm-unsafe-eval'"));
    }

    #[test]
    fn what_would_end_a_script_and_a_page_without_its_places_are_refused() {
        let parts = Parts { html: HTML, style: "", app: "" };
        assert!(parts.single("'</script>'").is_err());
        assert!(Parts { html: "<!-- policy -->", ..parts }.linked().is_err());
    }
}
