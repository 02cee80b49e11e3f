//! `Values`: follows a blob file from its start, and checks the checksums of every value in it.
//!
//! Header 30 bytes: magic number 4, version 4, column family 4, whether values expire 1, how they are compressed 1,
//! when they expire 8 + 8. Each value: length of its key 8, its own length 8, when it expires 8, CRC-32C (masked) of
//! those 4, CRC-32C (masked) of key and value 4, key, value. Footer 32 bytes: magic number 4, number of values 8, when
//! they expire 8 + 8, CRC-32C (masked) 4. (RocksDB 10.4 `db/blob/blob_log_format.h`.) The MANIFEST says how many values
//! there are and how many bytes they take, so the length of the file is known.

use crate::digest::crc::{crc32c, crc32c_append};

use super::HURTS;
use super::edit::Blob;
use super::records::unmask;
use super::table::failed;
use crate::codec::Flow;
use crate::cursor::Cursor;
use crate::digest::Digest;
use crate::finding::{Code, Finding, Findings};
use crate::name::Name;
use crate::trail::{Ended, Follow, Part};

const MAGIC: u32 = 2_395_959;
const HEADER: u64 = 30;
const HEAD: u64 = 32;
const FOOTER: u64 = 32;

/// The length of a blob file whose values take so many bytes.
pub(super) fn size(bytes: u64) -> u64 {
    bytes.saturating_add(HEADER + FOOTER)
}

/// The follower of one blob file.
pub(super) struct Values {
    object: Name,
    family: u32,
    /// How many values the MANIFEST says there are, and how long the file must be.
    count: u64,
    size: u64,
    at: u64,
    /// Header, head of a value, or footer, as far as it was read.
    unit: Vec<u8>,
    /// The value that is being read.
    value: Option<Value>,
    found: u64,
    whole: Option<(Digest, u32)>,
    bad: bool,
    over: bool,
    unread: bool,
    /// Where nothing more can be told apart.
    lost: bool,
}

struct Value {
    at: u64,
    /// Bytes of key and value that are to come.
    left: u64,
    crc: u32,
    on_record: u32,
}

impl Values {
    /// The blob file of this name and column family, of which the MANIFEST says `blob`; `digest` is that of the whole
    /// file, if one is on record.
    pub(super) fn new(object: Name, family: u32, blob: &Blob, digest: Option<Digest>) -> Self {
        Self {
            object,
            family,
            count: blob.count,
            size: size(blob.bytes),
            at: 0,
            unit: Vec::new(),
            value: None,
            found: 0,
            whole: digest.filter(|digest| matches!(digest, Digest::Crc32c(_))).map(|digest| (digest, 0)),
            bad: false,
            over: false,
            unread: false,
            lost: false,
        }
    }

    fn report(&mut self, code: Code, offset: Option<u64>, message: impl Into<String>, out: &mut Findings) {
        self.bad = true;
        let message = message.into();
        out.push(Finding { code, object: Some(self.object.clone()), offset, message, hurts: HURTS });
    }

    /// Takes bytes of one unit, or of a value; how many.
    fn some(&mut self, bytes: &[u8], out: &mut Findings) -> usize {
        let most = |count: u64| usize::try_from(count).unwrap_or(usize::MAX).min(bytes.len());
        if self.lost {
            return bytes.len();
        }
        if let Some(value) = &mut self.value {
            let taken = most(value.left);
            value.crc = crc32c_append(value.crc, bytes.get(..taken).unwrap_or_default());
            value.left = value.left.saturating_sub(taken as u64);
            let (is_over, is_right) = (value.left == 0, value.crc == unmask(value.on_record));
            let begin = value.at;
            if is_over {
                self.value = None;
                self.found = self.found.saturating_add(1);
                if !is_right {
                    self.report(Code::Digest, Some(begin), "the CRC-32C of the value here is wrong", out);
                }
            }
            return taken;
        }
        let begin = self.at.saturating_sub(self.unit.len() as u64);
        let footer = self.size.saturating_sub(FOOTER);
        let need = if begin == 0 { HEADER } else { HEAD };
        let taken = most(need.saturating_sub(self.unit.len() as u64));
        self.unit.extend_from_slice(bytes.get(..taken).unwrap_or_default());
        if self.unit.len() as u64 == need {
            let unit = std::mem::take(&mut self.unit);
            let read = match begin {
                0 => self.header(&unit),
                begin if begin == footer => self.footer(&unit),
                begin => self.head(&unit, begin, footer),
            };
            if let Err((code, what)) = read {
                self.lost = true;
                self.report(code, Some(begin), what, out);
            }
        }
        taken
    }

    fn header(&self, unit: &[u8]) -> Result<(), (Code, String)> {
        let mut cursor = Cursor::new(unit);
        let odd = |what: &str| Err((Code::Malformed, what.to_owned()));
        if (cursor.fixed32(), cursor.fixed32()) != (Some(MAGIC), Some(1)) {
            return odd("it does not begin as a blob file does");
        }
        if cursor.fixed32() != Some(self.family) {
            return odd("its header names another column family than the MANIFEST");
        }
        let (expires, compression) = (cursor.byte(), cursor.byte());
        if expires != Some(0) || cursor.rest().iter().any(|byte| *byte != 0) {
            return odd("its header says that values expire, which RocksDB does not read");
        }
        if compression.is_none_or(|kind| kind > 7) {
            return odd("its header names a compression that does not exist");
        }
        Ok(())
    }

    fn head(&mut self, unit: &[u8], at: u64, footer: u64) -> Result<(), (Code, String)> {
        let mut cursor = Cursor::new(unit);
        let broken = || (Code::Digest, "the CRC-32C of the head of a value is wrong".to_owned());
        let (key, value) = cursor.fixed64().zip(cursor.fixed64()).ok_or_else(broken)?;
        let (_, own) = cursor.fixed64().zip(cursor.fixed32()).ok_or_else(broken)?;
        let on_record = cursor.fixed32().ok_or_else(broken)?;
        if crc32c(unit.get(..24).unwrap_or_default()) != unmask(own) {
            return Err(broken());
        }
        let end = key.checked_add(value).and_then(|left| Some((left, at.checked_add(HEAD)?.checked_add(left)?)));
        let Some((left, _)) = end.filter(|(_, end)| *end <= footer) else {
            return Err((Code::Malformed, "a value goes past the end of the file".to_owned()));
        };
        self.value = Some(Value { at, left, crc: 0, on_record });
        if left == 0 {
            self.value = None;
            self.found = self.found.saturating_add(1);
            if unmask(on_record) != 0 {
                return Err((Code::Digest, "the CRC-32C of the value here is wrong".to_owned()));
            }
        }
        Ok(())
    }

    fn footer(&self, unit: &[u8]) -> Result<(), (Code, String)> {
        let mut cursor = Cursor::new(unit);
        let (sum, own) = (unit.get(..28).map(crc32c), unit.get(28..).map(Cursor::new));
        if sum != own.and_then(|mut own| own.fixed32()).map(unmask) {
            return Err((Code::Digest, "the CRC-32C of its footer is wrong".to_owned()));
        }
        if cursor.fixed32() != Some(MAGIC) {
            return Err((Code::Malformed, "it does not end as a blob file does".to_owned()));
        }
        let count = cursor.fixed64().unwrap_or_default();
        if count != self.found || count != self.count {
            let what = format!("it has {} values, its footer says {count}, the MANIFEST {}", self.found, self.count);
            return Err((Code::Malformed, what));
        }
        Ok(())
    }

    /// All of it was read.
    fn ends(&mut self, out: &mut Findings) {
        let size = self.size;
        if self.at != size || self.over {
            let more = if self.over { "more than " } else { "" };
            let message = format!("it has {more}{} bytes, the MANIFEST says {size}", self.at);
            return self.report(Code::Length, Some(self.at), message, out);
        }
        if let Some((digest, crc)) = self.whole.filter(|_| !self.bad) {
            let found = Digest::Crc32c(crc.to_be_bytes());
            if found != digest {
                self.report(Code::Digest, None, format!("its digest is {found}, the MANIFEST says {digest}"), out);
            }
        }
    }
}

impl Follow for Values {
    fn begin(&mut self, _: usize, _: &Part) {}

    fn push(&mut self, mut bytes: &[u8], out: &mut Findings) -> Flow {
        while !bytes.is_empty() {
            let room = usize::try_from(self.size.saturating_sub(self.at)).unwrap_or(usize::MAX);
            if room == 0 {
                self.over = true;
                return Flow::Break(());
            }
            let within = bytes.get(..room).unwrap_or(bytes);
            let taken = self.some(within, out).clamp(1, within.len());
            let (some, rest) = bytes.split_at_checked(taken).unwrap_or((bytes, &[]));
            if let Some((_, crc)) = &mut self.whole {
                *crc = crc32c_append(*crc, some);
            }
            self.at = self.at.saturating_add(some.len() as u64);
            bytes = rest;
        }
        Flow::Continue(())
    }

    fn end(&mut self, ended: Ended<'_>, out: &mut Findings) {
        match ended {
            Ended::Failed(fault) => {
                self.unread = true;
                out.push(failed(&self.object, fault));
            }
            Ended::Whole | Ended::Broken(_) => self.ends(out),
        }
    }

    fn is_whole(&self) -> bool {
        !self.unread
    }

    fn bytes(&self) -> u64 {
        self.at
    }
}

#[cfg(test)]
mod tests {
    use super::super::records::mask;
    use super::*;

    /// A blob file of column family 3 with these keys and values.
    fn file(values: &[(&[u8], &[u8])]) -> Vec<u8> {
        let mut file = [&MAGIC.to_le_bytes()[..], &1_u32.to_le_bytes(), &3_u32.to_le_bytes(), &[0; 18]].concat();
        for (key, value) in values {
            let head = [&(key.len() as u64).to_le_bytes()[..], &(value.len() as u64).to_le_bytes(), &[0; 8]].concat();
            file.extend(&head);
            file.extend(mask(crc32c(&head)).to_le_bytes());
            file.extend(mask(crc32c_append(crc32c(key), value)).to_le_bytes());
            file.extend([*key, *value].concat());
        }
        let end = [&MAGIC.to_le_bytes()[..], &(values.len() as u64).to_le_bytes(), &[0; 16]].concat();
        file.extend(&end);
        file.extend(mask(crc32c(&end)).to_le_bytes());
        file
    }

    fn found(bytes: &[u8], count: u64, length: u64, step: usize) -> Vec<(Code, Option<u64>)> {
        let blob = Blob { count, bytes: length, garbage_count: 0, garbage_bytes: 0, checksum: None };
        let mut values = Values::new(Name::new(b"000007.blob").unwrap(), 3, &blob, None);
        let mut out = Findings::default();
        for bytes in bytes.chunks(step) {
            if values.push(bytes, &mut out).is_break() {
                break;
            }
        }
        values.end(Ended::Whole, &mut out);
        out.sample().map(|finding| (finding.code, finding.offset)).collect()
    }

    #[test]
    fn every_flipped_bit_is_found_but_for_how_values_are_compressed() {
        let bytes = file(&[(b"key", &[5; 70]), (b"", b""), (b"another key", &[6; 200])]);
        let length = bytes.len() as u64 - HEADER - FOOTER;
        for step in [1, 40, bytes.len()] {
            assert_eq!(found(&bytes, 3, length, step), []);
        }
        for at in (0..bytes.len()).filter(|at| *at != 13) {
            for bit in 0..8 {
                let mut damaged = bytes.clone();
                damaged[at] ^= 1 << bit;
                assert!(!found(&damaged, 3, length, 100).is_empty(), "{at}.{bit}");
            }
        }
        assert_eq!(found(&bytes, 2, length, 100), [(Code::Malformed, Some(length + HEADER))]);
        for cut in [0, 29, 30, 100, bytes.len() - 1] {
            assert_eq!(found(&bytes[..cut], 3, length, 100), [(Code::Length, Some(cut as u64))], "{cut}");
        }
        let longer = [&bytes[..], &[0]].concat();
        assert_eq!(found(&longer, 3, length, 100), [(Code::Length, Some(bytes.len() as u64))]);
    }

    #[test]
    fn a_value_that_goes_past_the_end_is_malformed() {
        let bytes = file(&[(b"key", &[5; 70])]);
        let length = bytes.len() as u64 - HEADER - FOOTER;
        for size in [length, u64::MAX] {
            let mut damaged = bytes.clone();
            damaged[38..46].copy_from_slice(&size.to_le_bytes());
            let sum = mask(crc32c(&damaged[30..54]));
            damaged[54..58].copy_from_slice(&sum.to_le_bytes());
            assert_eq!(found(&damaged, 1, length, 100), [(Code::Malformed, Some(30))]);
        }
    }
}
