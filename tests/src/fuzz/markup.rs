//! Whether rendered text is what its format allows: no control characters, well-formed XML, commands and tables that
//! hold.

use std::collections::BTreeMap;

/// A character that neither moves a cursor nor hides or turns its neighbours.
pub(crate) fn is_plain(c: char) -> bool {
    if c.is_ascii() {
        return !c.is_ascii_control();
    }
    let hides = matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}');
    !c.is_control() && !hides
}

/// Fails on text that holds anything but plain characters and line feeds, or does not end with one.
pub(crate) fn expect_plain(what: &str, text: &str) {
    assert!(text.ends_with('\n'), "{what} ends within a line: {text:?}");
    let odd = text.chars().find(|c| *c != '\n' && !is_plain(*c));
    assert!(odd.is_none(), "{what} holds {odd:?}: {text:?}");
    assert!(!text.contains("##vso[") && !text.contains("##["), "{what} holds a command: {text:?}");
}

/// Counts the elements of each name, and fails on anything that is no well-formed XML 1.0 of elements and text.
pub(crate) fn elements(xml: &str) -> BTreeMap<&str, usize> {
    let allowed = |c: char| matches!(c, '\n' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    assert!(xml.chars().all(allowed), "a character that XML forbids: {xml:?}");
    let references = ["amp;", "lt;", "gt;", "quot;", "apos;"];
    assert!(xml.split('&').skip(1).all(|rest| references.iter().any(|name| rest.starts_with(name))), "{xml}");
    let body = xml.strip_prefix("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n").expect("a declaration");
    let (mut open, mut found) = (Vec::new(), BTreeMap::new());
    for piece in body.split('<').skip(1) {
        let (tag, after) = piece.split_once('>').expect("the end of a tag");
        assert!(!after.contains('>') && (!open.is_empty() || after.trim().is_empty()), "{piece}");
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name), "{xml}");
            assert!(!open.is_empty() || after == "\n", "text after the root element: {after}");
            continue;
        }
        let (tag, closed) = tag.strip_suffix('/').map_or((tag, false), |tag| (tag, true));
        let (name, attributes) = tag.split_once(' ').unwrap_or((tag, ""));
        let quotes: Vec<&str> = attributes.split('"').collect();
        assert_eq!(quotes.len() % 2, 1, "{tag}");
        assert!(quotes.iter().step_by(2).all(|key| key.is_empty() || key.ends_with('=')), "{tag}");
        assert!(quotes.iter().skip(1).step_by(2).all(|value| !value.contains('\n')), "{tag}");
        *found.entry(name).or_default() += 1;
        if !closed {
            open.push(name);
        }
    }
    assert!(open.is_empty(), "{open:?}");
    found
}

/// Fails on a workflow command that data could have begun or widened.
pub(crate) fn expect_commands(text: &str) {
    assert!(text.lines().count() <= 10, "{text}");
    for line in text.lines() {
        let rest =
            ["error", "warning", "notice"].iter().find_map(|kind| line.strip_prefix(&format!("::{kind} title=")));
        let (properties, _) = rest.and_then(|rest| rest.split_once("::")).unwrap_or_else(|| panic!("{line}"));
        assert!(properties.matches(',').count() <= 1 && !properties.contains(':'), "{line}");
    }
}

/// Fails on Markdown whose data is markup, or that is longer than a summary may be.
pub(crate) fn expect_markdown(text: &str) {
    assert!(text.len() <= 1024 * 1024);
    let bare = text.replace("<code>", "").replace("</code>", "");
    assert!(!bare.contains(['<', '>', '`', '*', '[', ']', '$', '@', '"']), "{bare}");
    for row in text.lines().filter(|line| line.starts_with('|')) {
        assert!([4, 5, 9].contains(&row.matches('|').count()), "{row}");
    }
}
