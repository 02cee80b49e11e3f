//! What the page says of kinds of backup, as the facts of the engine's formats have it.

use std::error::Error;

use highwater_core::facts::Hint;
use highwater_core::formats::ALL;

/// Where that goes in `index.html`.
const PLACES: [&str; 3] = ["<!-- kinds -->", "<!-- indices -->", "<!-- caveats -->"];

/// Puts it there.
pub(crate) fn named(html: &str) -> Result<String, Box<dyn Error>> {
    let hints: Vec<Hint> = ALL.iter().filter_map(|format| format.facts().hint).collect();
    let several: Vec<&str> = hints.iter().map(|hint| hint.several).collect();
    let indices: Vec<&str> = hints.iter().map(|hint| hint.index).collect();
    let caveats: Vec<&str> = hints.iter().map(|hint| hint.caveat).filter(|caveat| !caveat.is_empty()).collect();
    let mut html = html.to_owned();
    for (place, text) in PLACES.into_iter().zip([listed(&several), indices.join(", "), caveats.join(" ")]) {
        if html.matches(place).count() != 1 {
            return Err(format!("index.html must have {place} once").into());
        }
        if text.contains(['<', '>', '&', '"']) {
            return Err(format!("the hint of a format has one of < > & \": write it without, in {text:?}").into());
        }
        html = html.replace(place, &text);
    }
    Ok(html)
}

/// Several names as English lists them.
fn listed(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_named_once() {
        let html = named("<p>for <!-- kinds -->: <!-- indices -->; <!-- caveats --></p>").unwrap();
        let several: Vec<&str> = ALL.iter().filter_map(|format| format.facts().hint).map(|hint| hint.several).collect();
        let several = listed(&several);
        assert!(several.contains("repozo repositories, Proxmox-style chunk datastores"), "{several}");
        assert!(html.starts_with(&format!("<p>for {several}: for ")), "{html}");
        assert!(html.contains(", for repozo the .dat files, for a chunk"), "{html}");
        assert!(html.contains("; MD5, which repozo writes") && !html.contains("<!--"), "{html}");
        assert!(named("<!-- kinds -->").is_err());
        assert_eq!(listed(&["a", "b", "c"]), "a, b and c");
    }
}
