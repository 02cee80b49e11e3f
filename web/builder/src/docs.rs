//! Renders the documents beside the page: those of `web/docs`, and those that stand in the workspace's root.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::{Component, Path, PathBuf};

use pulldown_cmark::{CowStr, Event, Options, Parser, Tag, TagEnd, html};

/// Those of the root.
const FRONT: [&str; 4] = ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"];

/// A page: its style alone is loaded, and its pictures.
const PAGE: &str = "\
<!doctype html>
<html lang=\"en\">
<head>
<meta charset=\"utf-8\">
<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'self'; img-src 'self' data:; \
form-action 'none'; base-uri 'none'\">
<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">
<meta name=\"color-scheme\" content=\"light dark\">
<title>TITLE</title>
<link rel=\"stylesheet\" href=\"docs.css\">
</head>
<body>
<nav><a href=\"../index.html\">Check a backup</a> <a href=\"index.html\">Documentation</a></nav>
<main>
BODY</main>
</body>
</html>
";

/// Writes `docs` and `shots` into `out`. What was in `docs` before is gone.
pub(crate) fn write(root: &Path, out: &Path) -> Result<(), Box<dyn Error>> {
    let mut pages = BTreeMap::new();
    for name in FRONT {
        pages.insert(PathBuf::from(name), format!("{}.html", name.trim_end_matches(".md").to_lowercase()));
    }
    for entry in fs::read_dir(root.join("web/docs"))? {
        let name = entry?.file_name().into_string().map_err(|name| format!("{name:?} is no name of a page"))?;
        if let Some(stem) = name.strip_suffix(".md") {
            pages.insert(Path::new("web/docs").join(&name), format!("{stem}.html"));
        }
    }
    let docs = out.join("docs");
    if docs.exists() {
        fs::remove_dir_all(&docs)?;
    }
    fs::create_dir_all(&docs)?;
    fs::create_dir_all(out.join("shots"))?;
    fs::copy(root.join("web/docs.css"), docs.join("docs.css"))?;
    for (page, name) in &pages {
        let mut taken = Vec::new();
        let text = fs::read_to_string(root.join(page))?;
        fs::write(docs.join(name), render(&text, page, &pages, &mut taken))?;
        for file in taken {
            let name = file.file_name().ok_or("a file that is linked has a name")?;
            let folder = if file.starts_with("web/shots") { out.join("shots") } else { docs.clone() };
            fs::copy(root.join(&file), folder.join(name))?;
        }
    }
    Ok(())
}

/// A page as HTML. Links lead to pages where they are rendered, and to files that are `taken` along; what else they
/// lead to is in the checkout alone, and stands without a link.
fn render(text: &str, page: &Path, pages: &BTreeMap<PathBuf, String>, taken: &mut Vec<PathBuf>) -> String {
    let mut events: Vec<Event<'_>> = Parser::new_ext(text, Options::ENABLE_TABLES).collect();
    let (mut title, mut is_linked) = (String::new(), Vec::new());
    for at in 0..events.len() {
        let words = match events.get(at) {
            Some(Event::Start(Tag::Heading { .. })) => words(events.get(at..).unwrap_or_default()),
            _ => String::new(),
        };
        match events.get_mut(at) {
            Some(Event::Start(Tag::Heading { id, .. })) => {
                *id = Some(CowStr::from(anchor(&words)));
                if title.is_empty() {
                    title = words;
                }
            }
            Some(Event::Start(Tag::Link { dest_url, .. })) => {
                let leads = leads(dest_url, page, pages, taken);
                is_linked.push(leads.is_some());
                match leads {
                    Some(to) => *dest_url = CowStr::from(to),
                    None => events[at] = Event::Text(CowStr::from("")),
                }
            }
            Some(Event::End(TagEnd::Link)) if is_linked.pop() == Some(false) => {
                events[at] = Event::Text(CowStr::from(""))
            }
            Some(Event::Start(Tag::Image { dest_url, .. })) => {
                let file = plain(&page.parent().unwrap_or(Path::new("")).join(&**dest_url));
                let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
                let shot = file.starts_with("web/shots");
                *dest_url = CowStr::from(if shot { format!("../shots/{name}") } else { name });
                taken.push(file);
            }
            _ => {}
        }
    }
    let mut body = String::new();
    html::push_html(&mut body, events.into_iter());
    PAGE.replacen("TITLE", &title.replace('&', "&amp;").replace('<', "&lt;"), 1).replacen("BODY", &body, 1)
}

/// The words of the heading that these events begin with.
fn words(events: &[Event<'_>]) -> String {
    let ends = |event: &&Event<'_>| !matches!(event, Event::End(TagEnd::Heading(_)));
    let text = events.iter().take_while(ends).filter_map(|event| match event {
        Event::Text(text) | Event::Code(text) => Some(&**text),
        _ => None,
    });
    text.collect()
}

/// What a heading is called in links: as forges call it.
fn anchor(words: &str) -> String {
    let plain = words.trim().to_lowercase();
    plain
        .chars()
        .filter(|letter| letter.is_alphanumeric() || " -_".contains(*letter))
        .collect::<String>()
        .replace(' ', "-")
}

/// Where a link of a page leads, beside its rendered form.
fn leads(link: &str, page: &Path, pages: &BTreeMap<PathBuf, String>, taken: &mut Vec<PathBuf>) -> Option<String> {
    if link.starts_with('#') || link.contains("://") {
        return Some(link.to_owned());
    }
    let (path, anchor) = link.split_once('#').map_or((link, String::new()), |(path, to)| (path, format!("#{to}")));
    let file = plain(&page.parent()?.join(path));
    if let Some(name) = pages.get(&file) {
        return Some(format!("{name}{anchor}"));
    }
    let name = file.file_name()?.to_str()?.to_owned();
    let beside = file.starts_with("web/docs") && Path::new(&name).extension().is_some();
    beside.then(|| taken.push(file)).map(|()| name)
}

/// A path without `..`.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(plain.pop()),
            Component::Normal(name) => plain.push(name),
            _ => {}
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_lead_to_pages_and_files_and_what_is_in_the_checkout_alone_is_none() {
        let pages = BTreeMap::from([
            (PathBuf::from("README.md"), "readme.html".to_owned()),
            (PathBuf::from("web/docs/verify.md"), "verify.html".to_owned()),
        ]);
        let text = "# A `b` & c\n\n[v](verify.md#its-depths) [r](../../README.md) [o](https://example.org/x.md) [here](#d)\n\
            [s](../../core/src/lib.rs) [j](report.schema.json) ![p](../shots/p.png)\n\n| x |\n|---|\n| y |\n";
        let mut taken = Vec::new();
        let html = render(text, Path::new("web/docs/page.md"), &pages, &mut taken);
        for part in [
            "<title>A b &amp; c</title>",
            "<h1 id=\"a-b--c\">",
            "<a href=\"verify.html#its-depths\">v</a>",
            "<a href=\"readme.html\">r</a>",
            "<a href=\"https://example.org/x.md\">o</a>",
            "<a href=\"#d\">here</a>",
            "\ns <a href=\"report.schema.json\">j</a>",
            "<img src=\"../shots/p.png\" alt=\"p\" />",
            "<td>y</td>",
        ] {
            assert!(html.contains(part), "{part} is not in {html}");
        }
        assert_eq!(taken, [PathBuf::from("web/docs/report.schema.json"), PathBuf::from("web/shots/p.png")]);
    }
}
