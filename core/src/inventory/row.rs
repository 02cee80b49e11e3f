//! `Row`: a version of a key, or the mark that one was deleted, as a list says it.

/// The longest key that S3 takes, in bytes.
pub const LONGEST_KEY: usize = 1024;

/// The longest version and the longest ETag that are read, in bytes. S3's own have 32, and up to 38.
const LONGEST_WORD: usize = 512;

/// A row of a list. What it points to is gone when the next one is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row<'a> {
    /// The key, decoded: any bytes.
    pub key: &'a [u8],
    /// The version, as `versionId` takes it: `null` for what was written before versions were kept, and where none are.
    pub version: &'a [u8],
    /// It is what a reader gets who names no version. True where only the latest are listed.
    pub latest: bool,
    /// It is no object, but says that one was deleted: it has neither length nor ETag.
    pub marker: bool,
    /// The length in bytes.
    pub size: u64,
    /// The ETag's text, without quotes.
    pub etag: &'a [u8],
    /// When it was written, or when an upload in parts was begun: seconds since 1970, and nanoseconds.
    pub modified: (i64, u32),
    /// It was uploaded in parts, as far as that is said.
    pub multipart: Option<bool>,
    /// Whose key it is encrypted with at rest.
    pub encryption: Encryption,
    /// The storage class, as far as that is said.
    pub class: &'a [u8],
}

/// What the columns of a row say: nothing, or an empty text, where one is not there or says none.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Said<'a> {
    pub(super) key: &'a [u8],
    pub(super) version: &'a [u8],
    pub(super) latest: Option<bool>,
    pub(super) marker: Option<bool>,
    pub(super) size: Option<u64>,
    pub(super) modified: Option<(i64, u32)>,
    pub(super) etag: &'a [u8],
    pub(super) multipart: Option<bool>,
    pub(super) encryption: &'a [u8],
    pub(super) class: &'a [u8],
}

impl<'a> Said<'a> {
    /// Makes a row of it, if it is one; `versioned` says whether every version is listed.
    ///
    /// # Errors
    /// A clause.
    pub(super) fn judge(self, versioned: bool) -> Result<Row<'a>, &'static str> {
        let marker = versioned && self.marker.ok_or("its IsDeleteMarker is neither true nor false")?;
        let latest = !versioned || self.latest.ok_or("its IsLatest is neither true nor false")?;
        match self.key.len() {
            0 => return Err("it has no key"),
            1..=LONGEST_KEY => {}
            _ => return Err("its key is longer than any that S3 takes"),
        }
        if self.version.len().max(self.etag.len()) > LONGEST_WORD {
            return Err("its version or its ETag is longer than any that S3 gives");
        }
        let size = if marker { 0 } else { self.size.ok_or("its Size is no number of bytes")? };
        if self.etag.is_empty() && !marker {
            return Err("it has no ETag, and marks no deletion");
        }
        Ok(Row {
            key: self.key,
            version: if self.version.is_empty() { b"null" } else { self.version },
            latest,
            marker,
            size,
            etag: if marker { b"" } else { self.etag },
            modified: self.modified.ok_or("its LastModifiedDate is no date")?,
            multipart: self.multipart,
            encryption: Encryption::parse(self.encryption),
            class: self.class,
        })
    }
}

/// Whose key an object is encrypted with at rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encryption {
    /// The list does not say.
    Unsaid,
    /// Nobody's, `NOT-SSE`, or S3's own, `SSE-S3`: the ETag is of the bytes.
    Plain,
    /// That of a customer or of KMS (`SSE-C`, `SSE-KMS`, `DSSE-KMS`), or of somebody unknown: nothing follows of the
    /// ETag.
    Foreign,
}

impl Encryption {
    fn parse(text: &[u8]) -> Self {
        match text {
            b"" => Self::Unsaid,
            b"NOT-SSE" | b"SSE-S3" => Self::Plain,
            _ => Self::Foreign,
        }
    }
}

/// An ETag, by its form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Etag<'a> {
    /// 32 lower-case hexadecimal digits: of an object in one piece, if nobody's key made it, its MD5.
    Plain([u8; 16]),
    /// The same, and of how many parts ([`crate::digest::etag`]).
    Parts([u8; 16], u32),
    /// Any other text; empty for none.
    Other(&'a [u8]),
}

impl<'a> Etag<'a> {
    /// Takes an ETag's text, without quotes.
    #[must_use]
    pub fn parse(text: &'a [u8]) -> Self {
        Self::read(text).unwrap_or(Self::Other(text))
    }

    fn read(text: &'a [u8]) -> Option<Self> {
        let (hex, parts) = text.split_at_checked(32)?;
        let (mut sum, mut all) = ([0; 16], 0);
        for (byte, pair) in sum.iter_mut().zip(hex.chunks_exact(2)) {
            let &[high, low] = pair else { return None };
            let (high, low) = (nibble(high), nibble(low));
            all |= high | low;
            *byte = high << 4 | low & 15;
        }
        if all > 15 {
            return None;
        }
        if parts.is_empty() {
            return Some(Self::Plain(sum));
        }
        let digits = parts.strip_prefix(b"-").filter(|digits| digits.first() != Some(&b'0'))?;
        let digits = digits.iter().all(u8::is_ascii_digit).then_some(digits)?;
        Some(Self::Parts(sum, std::str::from_utf8(digits).ok()?.parse().ok()?))
    }

    /// Writes its text.
    pub fn push(&self, out: &mut Vec<u8>) {
        match self {
            Self::Plain(sum) => hex(sum, out),
            Self::Parts(sum, parts) => {
                hex(sum, out);
                out.extend_from_slice(format!("-{parts}").as_bytes());
            }
            Self::Other(text) => out.extend_from_slice(text),
        }
    }
}

/// What a hexadecimal digit stands for; more than 15 for any other byte: what is written with other digits is another
/// text. Without a branch, as no processor foresees whether a letter comes.
fn nibble(digit: u8) -> u8 {
    let (number, letter) = (digit.wrapping_sub(b'0'), digit.wrapping_sub(b'a'));
    let letter = if letter < 6 { letter + 10 } else { 255 };
    if number < 10 { number } else { letter }
}

fn hex(sum: &[u8], out: &mut Vec<u8>) {
    let digit = |number: u8| if number < 10 { b'0' + number } else { b'a' + number - 10 };
    out.extend(sum.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]));
}

/// What follows of an ETag for the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Means {
    /// They have this MD5.
    Md5([u8; 16]),
    /// The MD5s of so many parts have this MD5; how long a part is, is not said ([`crate::digest::parts`]).
    Parts([u8; 16], u32),
    /// Nothing.
    Nothing,
}

impl Row<'_> {
    /// What follows of the ETag for the bytes, if they are not encrypted with a foreign key, which only
    /// [`Row::is_certain`] tells where the list does not.
    #[must_use]
    pub fn means(&self) -> Means {
        match Etag::parse(self.etag) {
            _ if self.marker || self.encryption == Encryption::Foreign => Means::Nothing,
            Etag::Plain(sum) if self.multipart != Some(true) => Means::Md5(sum),
            Etag::Parts(sum, parts) => Means::Parts(sum, parts),
            Etag::Plain(_) | Etag::Other(_) => Means::Nothing,
        }
    }

    /// Whether the list says whose key it is encrypted with. Otherwise what the ETag means is known only when the
    /// object is fetched, whose answer says it.
    #[must_use]
    pub fn is_certain(&self) -> bool {
        self.encryption != Encryption::Unsaid
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn etags_are_written_as_they_were_read() {
        let sum = "fbebe2d44529d0a25247e8b5bca5956b";
        for (text, form) in [
            (sum.to_owned(), 0),
            (format!("{sum}-1"), 1),
            (format!("{sum}-10000"), 1),
            (format!("{sum}-4294967296"), 2),
            (format!("{sum}-01"), 2),
            (format!("{sum}-"), 2),
            (format!("{sum}x"), 2),
            (sum.to_uppercase(), 2),
            (sum[1..].to_owned(), 2),
            (String::new(), 2),
            ("any text".to_owned(), 2),
        ] {
            let etag = Etag::parse(text.as_bytes());
            let found = match etag {
                Etag::Plain(_) => 0,
                Etag::Parts(..) => 1,
                Etag::Other(_) => 2,
            };
            let mut out = Vec::new();
            etag.push(&mut out);
            assert_eq!((found, out), (form, text.clone().into_bytes()), "{text}");
        }
    }

    #[test]
    fn an_etag_is_an_md5_of_one_piece_under_nobodys_key() {
        let plain = b"fbebe2d44529d0a25247e8b5bca5956b";
        let parted = b"fbebe2d44529d0a25247e8b5bca5956b-3";
        let row = |etag, multipart, encryption| Row {
            key: b"k",
            version: b"null",
            latest: true,
            marker: false,
            size: 1,
            etag,
            modified: (0, 0),
            multipart,
            encryption: Encryption::parse(encryption),
            class: b"",
        };
        let md5 = |row: Row<'_>| matches!(row.means(), Means::Md5(_));
        let parts = |row: Row<'_>| matches!(row.means(), Means::Parts(_, 3));
        for encryption in [&b"NOT-SSE"[..], b"SSE-S3", b""] {
            assert!(md5(row(plain, Some(false), encryption)) && md5(row(plain, None, encryption)));
            assert!(parts(row(parted, Some(true), encryption)) && parts(row(parted, None, encryption)));
            assert_eq!(row(plain, Some(true), encryption).means(), Means::Nothing);
            assert_eq!(row(plain, None, encryption).is_certain(), !encryption.is_empty());
        }
        for encryption in [&b"SSE-C"[..], b"SSE-KMS", b"DSSE-KMS", b"NEW"] {
            assert_eq!(row(plain, Some(false), encryption).means(), Means::Nothing);
            assert_eq!(row(parted, Some(true), encryption).means(), Means::Nothing);
        }
        assert_eq!(Row { marker: true, ..row(plain, None, b"") }.means(), Means::Nothing);
    }
}
