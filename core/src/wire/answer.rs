//! `Answered`: what the far end answers.

use super::field::{Fields, put_bytes, put_text};
use super::{Bad, ENTRIES};
use crate::digest::{Algorithm, Digest};
use crate::inspect::{Entry, Kind};

/// An answer, and the number of what it answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// That of the request.
    pub id: u32,
    /// What is answered.
    pub answer: Answer,
}

/// What a far end answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Entries of a folder.
    Entries {
        /// Some of them.
        entries: Vec<Entry>,
        /// There are no more.
        last: bool,
    },
    /// An object was opened.
    Opened {
        /// What it is read by; none where all of its bytes are here.
        handle: Option<u32>,
        /// What is known of it.
        meta: Meta,
        /// Its first bytes.
        bytes: Vec<u8>,
    },
    /// Bytes of an object; fewer than were asked for only where it ends, none behind that.
    Bytes(Vec<u8>),
    /// What is known of an object.
    Looked(Meta),
    /// Whether a process holds a lock on a file.
    Locked(bool),
    /// Which folder it is: device and inode there; none where that cannot be known.
    Identity(Option<(u64, u64)>),
    /// What takes a while goes on: bytes that were worked off, and bytes known of.
    Progress {
        /// The former.
        done: u64,
        /// The latter.
        total: u64,
    },
    /// What takes a while has something to say.
    Notice(String),
    /// A part of a report, as JSON.
    Report {
        /// Some bytes of it.
        bytes: Vec<u8>,
        /// There are no more.
        last: bool,
    },
    /// A checkpoint was made.
    Made {
        /// The kind of store.
        kind: String,
        /// Up to where it goes, in words of the store.
        position: String,
        /// How often the store's heads were read.
        tries: u32,
    },
    /// The SHA-256 of an object.
    Sum(Digest),
    /// The checkpoint is removed.
    Discarded,
    /// It cannot be done.
    Failed {
        /// Why, to a program.
        why: Why,
        /// Why, to a person.
        text: String,
    },
}

/// What is known of an object.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Meta {
    /// Its length in bytes.
    pub length: u64,
    /// When it was last changed: seconds since 1970, and nanoseconds.
    pub mtime: (i64, u32),
    /// Who may do what with it: the permission bits of POSIX.
    pub mode: u32,
}

/// Why something cannot be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// There is nothing of that name.
    Absent,
    /// Something on the way to it is no folder.
    NoFolder,
    /// Nobody may read it who the far end is.
    Denied,
    /// It is no plain file.
    NoFile,
    /// The far end has no more room for it.
    Full,
    /// Anything else.
    Other,
    /// A verification: what was asked for makes no sense.
    Usage,
    /// A verification could not start.
    CannotStart,
    /// Somebody stopped the far end.
    Interrupted,
}

const ENTRIES_OF: u8 = 1;
const OPENED: u8 = 2;
const BYTES: u8 = 3;
const LOOKED: u8 = 4;
const LOCKED: u8 = 5;
const IDENTITY: u8 = 6;
const PROGRESS: u8 = 7;
const NOTICE: u8 = 8;
const REPORT: u8 = 9;
const FAILED: u8 = 10;
const MADE: u8 = 11;
const SUM: u8 = 12;
const DISCARDED: u8 = 13;

/// Bytes of a SHA-256.
const SHA256: usize = 32;

const KINDS: [Kind; 4] = [Kind::File, Kind::Folder, Kind::Link, Kind::Other];

const WHYS: [Why; 9] = [
    Why::Absent,
    Why::NoFolder,
    Why::Denied,
    Why::NoFile,
    Why::Full,
    Why::Other,
    Why::Usage,
    Why::CannotStart,
    Why::Interrupted,
];

/// The number of one of several.
fn number<T: PartialEq>(all: &[T], one: &T) -> u8 {
    all.iter().position(|other| other == one).and_then(|at| u8::try_from(at).ok()).unwrap_or_default()
}

impl Answered {
    /// The bytes of it.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = self.id.to_le_bytes().to_vec();
        match &self.answer {
            Answer::Entries { entries, last } => {
                out.extend([ENTRIES_OF, u8::from(*last)]);
                out.extend(u32::try_from(entries.len()).unwrap_or(u32::MAX).to_le_bytes());
                entries.iter().for_each(|entry| put_entry(entry, &mut out));
            }
            Answer::Opened { handle, meta, bytes } => {
                out.extend([OPENED, u8::from(handle.is_some())]);
                out.extend(handle.unwrap_or_default().to_le_bytes());
                meta.put(&mut out);
                out.extend_from_slice(bytes);
            }
            Answer::Bytes(bytes) => {
                out.push(BYTES);
                out.extend_from_slice(bytes);
            }
            Answer::Looked(meta) => {
                out.push(LOOKED);
                meta.put(&mut out);
            }
            Answer::Locked(is_locked) => out.extend([LOCKED, u8::from(*is_locked)]),
            Answer::Identity(identity) => {
                out.extend([IDENTITY, u8::from(identity.is_some())]);
                if let Some((device, inode)) = identity {
                    out.extend(device.to_le_bytes());
                    out.extend(inode.to_le_bytes());
                }
            }
            Answer::Progress { done, total } => {
                out.push(PROGRESS);
                out.extend(done.to_le_bytes());
                out.extend(total.to_le_bytes());
            }
            Answer::Notice(text) => {
                out.push(NOTICE);
                put_text(text, &mut out);
            }
            Answer::Report { bytes, last } => {
                out.extend([REPORT, u8::from(*last)]);
                out.extend_from_slice(bytes);
            }
            Answer::Made { kind, position, tries } => {
                out.push(MADE);
                put_text(kind, &mut out);
                put_text(position, &mut out);
                out.extend(tries.to_le_bytes());
            }
            Answer::Sum(sum) => {
                out.push(SUM);
                out.extend_from_slice(sum.as_bytes());
            }
            Answer::Discarded => out.push(DISCARDED),
            Answer::Failed { why, text } => {
                out.extend([FAILED, number(&WHYS, why)]);
                put_text(text, &mut out);
            }
        }
        out
    }

    /// Reads one.
    ///
    /// # Errors
    /// [`Bad`] when the bytes are none.
    pub fn decode(bytes: &[u8]) -> Result<Self, Bad> {
        let mut fields = Fields::new(bytes);
        let id = fields.short()?;
        let unknown = fields.wrong("an answer that is not known");
        let answer = match fields.byte()? {
            ENTRIES_OF => {
                let last = fields.flag()?;
                let many = fields.wrong("more entries than an answer has");
                let count = usize::try_from(fields.short()?).unwrap_or(usize::MAX);
                if count > ENTRIES {
                    return Err(many);
                }
                let entries = (0..count).map(|_| take_entry(&mut fields)).collect::<Result<_, _>>()?;
                Answer::Entries { entries, last }
            }
            OPENED => {
                let is_held = fields.flag()?;
                let odd = fields.wrong("a handle of what is not held open");
                let handle = fields.short()?;
                if !is_held && handle != 0 {
                    return Err(odd);
                }
                let (handle, meta) = (is_held.then_some(handle), Meta::take(&mut fields)?);
                Answer::Opened { handle, meta, bytes: fields.rest().to_vec() }
            }
            BYTES => Answer::Bytes(fields.rest().to_vec()),
            LOOKED => Answer::Looked(Meta::take(&mut fields)?),
            LOCKED => Answer::Locked(fields.flag()?),
            IDENTITY => {
                let is_some = fields.flag()?;
                Answer::Identity(if is_some { Some((fields.long()?, fields.long()?)) } else { None })
            }
            PROGRESS => Answer::Progress { done: fields.long()?, total: fields.long()? },
            NOTICE => Answer::Notice(fields.text()?),
            REPORT => {
                let last = fields.flag()?;
                Answer::Report { bytes: fields.rest().to_vec(), last }
            }
            MADE => Answer::Made { kind: fields.text()?, position: fields.text()?, tries: fields.short()? },
            SUM => {
                let none = fields.wrong("no digest");
                Answer::Sum(Digest::new(Algorithm::Sha256, fields.exactly(SHA256)?).ok_or(none)?)
            }
            DISCARDED => Answer::Discarded,
            FAILED => {
                let unknown = fields.wrong("a reason that is not known");
                let why = *WHYS.get(usize::from(fields.byte()?)).ok_or(unknown)?;
                Answer::Failed { why, text: fields.text()? }
            }
            _ => return Err(unknown),
        };
        fields.end()?;
        Ok(Self { id, answer })
    }
}

impl Meta {
    fn put(&self, out: &mut Vec<u8>) {
        out.extend(self.length.to_le_bytes());
        out.extend(self.mtime.0.to_le_bytes());
        out.extend(self.mtime.1.to_le_bytes());
        out.extend(self.mode.to_le_bytes());
    }

    fn take(fields: &mut Fields<'_>) -> Result<Self, Bad> {
        let (length, seconds) = (fields.long()?, fields.long()?.cast_signed());
        let odd = fields.wrong("more nanoseconds than a second has");
        let nanoseconds = fields.short()?;
        if nanoseconds >= 1_000_000_000 {
            return Err(odd);
        }
        Ok(Self { length, mtime: (seconds, nanoseconds), mode: fields.short()? })
    }
}

fn put_entry(entry: &Entry, out: &mut Vec<u8>) {
    out.extend([number(&KINDS, &entry.kind), u8::from(entry.length.is_some())]);
    out.extend(entry.length.unwrap_or_default().to_le_bytes());
    put_bytes(entry.name.as_bytes(), out);
}

fn take_entry(fields: &mut Fields<'_>) -> Result<Entry, Bad> {
    let unknown = fields.wrong("a kind of entry that is not known");
    let kind = *KINDS.get(usize::from(fields.byte()?)).ok_or(unknown)?;
    let is_known = fields.flag()?;
    let odd = fields.wrong("a length that is not known");
    let length = fields.long()?;
    if !is_known && length != 0 {
        return Err(odd);
    }
    let odd = fields.wrong("an entry that lies in another folder");
    let name = fields.name()?;
    if name.folder().is_some() {
        return Err(odd);
    }
    Ok(Entry { name, kind, length: is_known.then_some(length) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::sha256_of;
    use crate::name::Name;

    fn all() -> Vec<Answer> {
        let entry = |name: &[u8], kind, length| Entry { name: Name::new(name).unwrap(), kind, length };
        let entries = vec![entry(b"a\xff", Kind::File, Some(7)), entry(b"b", Kind::Folder, None)];
        let meta = Meta { length: 3, mtime: (-1, 999_999_999), mode: 0o640 };
        vec![
            Answer::Entries { entries, last: false },
            Answer::Entries { entries: Vec::new(), last: true },
            Answer::Opened { handle: Some(7), meta, bytes: b"abc".to_vec() },
            Answer::Opened { handle: None, meta, bytes: Vec::new() },
            Answer::Bytes(b"bytes".to_vec()),
            Answer::Looked(meta),
            Answer::Locked(true),
            Answer::Identity(Some((1, u64::MAX))),
            Answer::Identity(None),
            Answer::Progress { done: 1, total: 2 },
            Answer::Notice("so".to_owned()),
            Answer::Report { bytes: b"{}".to_vec(), last: true },
            Answer::Made { kind: "kind".to_owned(), position: "entry 7".to_owned(), tries: 2 },
            Answer::Sum(sha256_of(b"bytes")),
            Answer::Discarded,
            Answer::Failed { why: Why::Absent, text: "nothing".to_owned() },
            Answer::Failed { why: Why::Interrupted, text: String::new() },
        ]
    }

    #[test]
    fn what_is_answered_is_understood_and_every_flip_is_told_or_says_otherwise() {
        for answer in all() {
            let answered = Answered { id: 77, answer };
            let bytes = answered.encode();
            assert_eq!(Answered::decode(&bytes).as_ref(), Ok(&answered));
            for at in 0..bytes.len() {
                if let Err(bad) = Answered::decode(bytes.get(..at).unwrap()) {
                    assert!(bad.at <= at, "{bad}");
                }
                for change in 1..=255 {
                    let mut other = bytes.clone();
                    *other.get_mut(at).unwrap() ^= change;
                    if let Ok(heard) = Answered::decode(&other) {
                        assert!(heard != answered && heard.encode() == other, "byte {at}: {heard:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_count_that_asks_for_memory_is_refused_where_it_stands() {
        let mut bytes = Answered { id: 1, answer: Answer::Entries { entries: Vec::new(), last: true } }.encode();
        bytes.splice(6.., u32::MAX.to_le_bytes());
        assert_eq!(Answered::decode(&bytes), Err(Bad { at: 6, what: "more entries than an answer has" }));
    }

    #[test]
    fn an_entry_lies_in_the_folder_that_is_listed() {
        let entry = Entry::new(Name::new(b"a/b").unwrap(), Kind::File);
        let bytes = Answered { id: 1, answer: Answer::Entries { entries: vec![entry], last: true } }.encode();
        assert!(Answered::decode(&bytes).unwrap_err().what.contains("another folder"));
    }
}
