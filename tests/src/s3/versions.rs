//! What a server lists of the versions of a bucket, read apart from the product.

use super::inventory::Listed;

/// Reads an answer to `GET /BUCKET?versions`. Keys are bytes: XML cannot hold all that S3 takes, and servers send it
/// all the same.
pub(super) fn read(answer: &[u8]) -> Vec<Listed> {
    assert_eq!(value(answer, "IsTruncated").as_deref(), Some(&b"false"[..]), "there are more versions than one page");
    let mut listed: Vec<Listed> = ["Version", "DeleteMarker"]
        .into_iter()
        .flat_map(|kind| elements(answer, kind).into_iter().map(move |element| row(element, kind == "DeleteMarker")))
        .collect();
    listed.sort_by(|one, other| one.key.cmp(&other.key));
    listed
}

fn row(element: &[u8], marker: bool) -> Listed {
    let bytes = |name| value(element, name).unwrap_or_default();
    let text = |name| String::from_utf8(bytes(name)).unwrap_or_else(|_| panic!("{name} is no text"));
    let size = (!marker).then(|| text("Size").parse().unwrap_or_else(|_| panic!("no Size: {}", text("Size"))));
    Listed {
        key: bytes("Key"),
        version: text("VersionId"),
        latest: text("IsLatest") == "true",
        size,
        modified: text("LastModified"),
        etag: text("ETag").trim_matches('"').to_owned(),
        class: text("StorageClass"),
        encryption: "",
    }
}

/// What stands between the tags of each element of this name, none of which holds another.
fn elements<'a>(text: &'a [u8], name: &str) -> Vec<&'a [u8]> {
    let (opening, closing) = (format!("<{name}>"), format!("</{name}>"));
    let (mut found, mut rest) = (Vec::new(), text);
    while let Some(at) = find(rest, opening.as_bytes()) {
        rest = &rest[at + opening.len()..];
        let end = find(rest, closing.as_bytes()).expect("an element that was opened is closed");
        found.push(&rest[..end]);
        rest = &rest[end..];
    }
    found
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}

/// The value of the first element of this name.
pub(super) fn value(text: &[u8], name: &str) -> Option<Vec<u8>> {
    let mut rest = *elements(text, name).first()?;
    let mut value = Vec::new();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        let end = after.iter().position(|byte| *byte == b';').filter(|_| byte == b'&');
        let Some(end) = end else {
            value.push(byte);
            continue;
        };
        let entity = std::str::from_utf8(&after[..end]).expect("an entity is text");
        let number = |digits: &str| match digits.strip_prefix('x') {
            Some(digits) => u32::from_str_radix(digits, 16).ok(),
            None => digits.parse().ok(),
        };
        let letter = match entity {
            "amp" => Some('&'),
            "lt" => Some('<'),
            "gt" => Some('>'),
            "quot" => Some('"'),
            "apos" => Some('\''),
            _ => entity.strip_prefix('#').and_then(number).and_then(char::from_u32),
        };
        let letter = letter.unwrap_or_else(|| panic!("the entity &{entity};"));
        value.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
        rest = &after[end + 1..];
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_and_marks_are_read() {
        let answer = b"<R><IsTruncated>false</IsTruncated><Version><Key>b&amp;&#34;&#xA;</Key><VersionId>null\
            </VersionId><IsLatest>false</IsLatest><ETag>&quot;e-2&quot;</ETag><Size>7</Size><StorageClass>S\
            </StorageClass><LastModified>2026-11-27T23:50:27Z</LastModified></Version><DeleteMarker><Key>a</Key>\
            <VersionId>v</VersionId><IsLatest>true</IsLatest><LastModified>x</LastModified></DeleteMarker></R>";
        let read = read(answer);
        assert_eq!((&*read[0].key, read[0].size, read[0].latest, &*read[0].etag), (&b"a"[..], None, true, ""));
        assert_eq!((&*read[1].key, read[1].size, &*read[1].etag), (&b"b&\"\n"[..], Some(7), "e-2"));
    }
}
