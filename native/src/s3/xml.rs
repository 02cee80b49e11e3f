//! The texts of a small XML document, read with bounds: S3's lists and errors.

use highwater_core::name::printable;
use quick_xml::Reader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::Event;

/// S3's documents are three deep.
const DEEPEST: usize = 8;

/// Names of elements and their texts are shorter: a key has up to 1,024 bytes, each of them encoded as three.
const LONGEST: usize = 16 << 10;

/// Calls `visit` at the end of each element with the names from the root to it and the text directly in it. Namespaces
/// and attributes are passed over; a document type, which could define entities, is refused.
///
/// # Errors
/// When it is no whole document, or one that goes beyond the bounds, in words for the end of a sentence.
pub(super) fn leaves(document: &str, mut visit: impl FnMut(&[&str], &str) -> Result<(), String>) -> Result<(), String> {
    let mut reader = Reader::from_str(document);
    let mut path: Vec<String> = Vec::new();
    let mut text = String::new();
    let mut ended = false;
    loop {
        let at = reader.buffer_position();
        match reader.read_event().map_err(|error| format!("is no XML at byte {at} ({})", shown(&error)))? {
            Event::Start(_) | Event::Empty(_) if ended => return Err(format!("goes on behind its end, at byte {at}")),
            Event::Start(tag) => {
                open(&mut path, tag.local_name().as_ref(), at)?;
                text.clear();
            }
            Event::Empty(tag) => {
                open(&mut path, tag.local_name().as_ref(), at)?;
                text.clear();
                ended = close(&mut path, &mut text, &mut visit)?;
            }
            Event::End(_) => ended = close(&mut path, &mut text, &mut visit)?,
            Event::Text(part) => text.push_str(&part.xml10_content()),
            Event::CData(part) => text.push_str(&part.xml10_content()),
            Event::GeneralRef(name) => match name.resolve_char_ref() {
                Ok(Some(letter)) => text.push(letter),
                Ok(None) => match resolve_predefined_entity(&name) {
                    Some(letters) => text.push_str(letters),
                    None => return Err(format!("names an entity that is none, at byte {at}")),
                },
                Err(_) => return Err(format!("names a letter that is none, at byte {at}")),
            },
            Event::DocType(_) => return Err(format!("has a document type, at byte {at}")),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            Event::Eof if ended => return Ok(()),
            Event::Eof => return Err(format!("ends too early, at byte {at}")),
        }
        if text.len() > LONGEST {
            return Err(format!("has too long a text, at byte {at}"));
        }
    }
}

fn open(path: &mut Vec<String>, name: &str, at: u64) -> Result<(), String> {
    if path.len() == DEEPEST {
        return Err(format!("is too deep, at byte {at}"));
    }
    if name.len() > LONGEST {
        return Err(format!("has too long a name, at byte {at}"));
    }
    path.push(name.to_owned());
    Ok(())
}

/// Visits the element that ends; says whether it was the root.
fn close(
    path: &mut Vec<String>,
    text: &mut String,
    visit: &mut impl FnMut(&[&str], &str) -> Result<(), String>,
) -> Result<bool, String> {
    let names: Vec<&str> = path.iter().map(String::as_str).collect();
    visit(&names, text)?;
    path.pop();
    text.clear();
    Ok(path.is_empty())
}

fn shown(error: &quick_xml::Error) -> String {
    let text: String = error.to_string().chars().take(100).collect();
    printable(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(document: &str) -> Result<Vec<String>, String> {
        let mut found = Vec::new();
        leaves(document, |path, text| {
            found.push(format!("{}={text}", path.join("/")));
            Ok(())
        })?;
        Ok(found)
    }

    #[test]
    fn texts_are_found_with_their_places() {
        let document = "<?xml version='1.0'?>\n<!-- c --><a xmlns='n'><b>1&amp;&#x31;<![CDATA[<]]></b><n:c/>\n</a>\n";
        assert_eq!(read(document), Ok(vec!["a/b=1&1<".to_owned(), "a/c=".to_owned(), "a=\n".to_owned()]));
    }

    #[test]
    fn every_cut_and_what_is_hostile_is_refused() {
        let document = "<a><b>x</b></a>";
        for end in 0..document.len() {
            read(&document[..end]).expect_err(&document[..end]);
        }
        let deep = "<a>".repeat(9) + &"</a>".repeat(9);
        let long = format!("<a>{}</a>", "x".repeat(LONGEST + 1));
        let bomb = "<!DOCTYPE a [<!ENTITY b 'cc'>]><a>&b;</a>";
        for bad in [deep.as_str(), &long, bomb, "<a>&b;</a>", "<a>&#0;</a>", "<a></b>", "<a/><a/>", "x", "<a>&"] {
            read(bad).expect_err(bad);
        }
        read(&("<a>".repeat(8) + &"</a>".repeat(8))).expect("eight are fine");
    }
}
