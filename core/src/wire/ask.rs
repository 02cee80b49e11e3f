//! `Asked`: what the near end asks for.

use super::Bad;
use super::field::{Fields, put_bytes, put_folder, put_some_text, put_text};
use crate::name::Name;
use crate::report::Depth;
use crate::shard::Shard;

/// A request, and the number that its answers will have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Of all that are under way, only this one has it.
    pub id: u32,
    /// What is asked for.
    pub request: Request,
}

/// What a near end asks for. Names are below the root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// The entries of a folder, or of the root.
    List {
        /// Which folder.
        folder: Option<Name>,
    },
    /// That an object be opened, and held open; and its first bytes.
    Open {
        /// Which object.
        name: Name,
        /// How many bytes, at most. One that is no longer is not held open.
        first: u32,
    },
    /// Bytes of an object that is held open.
    Read {
        /// Which it is.
        handle: u32,
        /// Where they begin.
        at: u64,
        /// How many, at most.
        most: u32,
    },
    /// That an object be held open no longer. There is no answer.
    Close {
        /// Which it is.
        handle: u32,
    },
    /// What is known of an object without opening it.
    Look {
        /// Which object.
        name: Name,
    },
    /// Whether a process there holds a lock on a file.
    IsLocked {
        /// Which file.
        name: Name,
    },
    /// Which folder this is, whatever name led to it.
    Identity {
        /// Which folder, or the root.
        folder: Option<Name>,
    },
    /// That all of it be verified there.
    Verify(Box<Verification>),
    /// That a checkpoint be made of the live store there: from then on names are below that.
    Checkpoint {
        /// The kind of store, where its files do not tell.
        kind: Option<String>,
    },
    /// What the bytes of an object give.
    Sum {
        /// Which object.
        name: Name,
    },
    /// That the checkpoint be removed.
    Discard,
}

/// How a root is verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verification {
    /// What the report calls the root.
    pub label: String,
    /// Its kind, where it is not to be recognised.
    pub kind: Option<String>,
    /// The point, if only one is asked for.
    pub point: Option<String>,
    /// How thoroughly.
    pub depth: Depth,
    /// Warnings count as damage.
    pub strict: bool,
    /// Which part of the claims.
    pub shard: Shard,
}

const LIST: u8 = 1;
const OPEN: u8 = 2;
const READ: u8 = 3;
const CLOSE: u8 = 4;
const LOOK: u8 = 5;
const IS_LOCKED: u8 = 6;
const IDENTITY: u8 = 7;
const VERIFY: u8 = 8;
const CHECKPOINT: u8 = 9;
const SUM: u8 = 10;
const DISCARD: u8 = 11;

const DEPTHS: [Depth; 4] = [Depth::List, Depth::Size, Depth::Digest, Depth::Deep];

impl Asked {
    /// The bytes of it.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = self.id.to_le_bytes().to_vec();
        match &self.request {
            Request::List { folder } => {
                out.push(LIST);
                put_folder(folder.as_ref(), &mut out);
            }
            Request::Open { name, first } => {
                out.push(OPEN);
                put_bytes(name.as_bytes(), &mut out);
                out.extend(first.to_le_bytes());
            }
            Request::Read { handle, at, most } => {
                out.push(READ);
                out.extend(handle.to_le_bytes());
                out.extend(at.to_le_bytes());
                out.extend(most.to_le_bytes());
            }
            Request::Close { handle } => {
                out.push(CLOSE);
                out.extend(handle.to_le_bytes());
            }
            Request::Look { name } => {
                out.push(LOOK);
                put_bytes(name.as_bytes(), &mut out);
            }
            Request::IsLocked { name } => {
                out.push(IS_LOCKED);
                put_bytes(name.as_bytes(), &mut out);
            }
            Request::Identity { folder } => {
                out.push(IDENTITY);
                put_folder(folder.as_ref(), &mut out);
            }
            Request::Verify(how) => {
                out.push(VERIFY);
                how.put(&mut out);
            }
            Request::Checkpoint { kind } => {
                out.push(CHECKPOINT);
                put_some_text(kind.as_deref(), &mut out);
            }
            Request::Sum { name } => {
                out.push(SUM);
                put_bytes(name.as_bytes(), &mut out);
            }
            Request::Discard => out.push(DISCARD),
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
        let unknown = fields.wrong("a request that is not known");
        let request = match fields.byte()? {
            LIST => Request::List { folder: fields.folder()? },
            OPEN => Request::Open { name: fields.name()?, first: fields.short()? },
            READ => Request::Read { handle: fields.short()?, at: fields.long()?, most: fields.short()? },
            CLOSE => Request::Close { handle: fields.short()? },
            LOOK => Request::Look { name: fields.name()? },
            IS_LOCKED => Request::IsLocked { name: fields.name()? },
            IDENTITY => Request::Identity { folder: fields.folder()? },
            VERIFY => Request::Verify(Box::new(Verification::take(&mut fields)?)),
            CHECKPOINT => Request::Checkpoint { kind: fields.some_text()? },
            SUM => Request::Sum { name: fields.name()? },
            DISCARD => Request::Discard,
            _ => return Err(unknown),
        };
        fields.end()?;
        Ok(Self { id, request })
    }
}

impl Verification {
    fn put(&self, out: &mut Vec<u8>) {
        put_text(&self.label, out);
        put_some_text(self.kind.as_deref(), out);
        put_some_text(self.point.as_deref(), out);
        let depth = DEPTHS.iter().position(|depth| *depth == self.depth).unwrap_or_default();
        out.push(u8::try_from(depth).unwrap_or_default());
        out.push(u8::from(self.strict));
        out.extend(self.shard.number().to_le_bytes());
        out.extend(self.shard.count().to_le_bytes());
    }

    fn take(fields: &mut Fields<'_>) -> Result<Self, Bad> {
        let (label, kind, point) = (fields.text()?, fields.some_text()?, fields.some_text()?);
        let unknown = fields.wrong("a depth that is not known");
        let depth = *DEPTHS.get(usize::from(fields.byte()?)).ok_or(unknown)?;
        let strict = fields.flag()?;
        let no_part = fields.wrong("no part of all claims");
        let shard = Shard::new(fields.long()?, fields.long()?).ok_or(no_part)?;
        Ok(Self { label, kind, point, depth, strict, shard })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Vec<Request> {
        let name = Name::new(b"a/\xffb").unwrap();
        let how = Verification {
            label: "set".to_owned(),
            kind: None,
            point: Some("2026".to_owned()),
            depth: Depth::Deep,
            strict: true,
            shard: Shard::new(3, 8).unwrap(),
        };
        vec![
            Request::List { folder: None },
            Request::List { folder: Some(name.clone()) },
            Request::Open { name: name.clone(), first: 65_536 },
            Request::Read { handle: 7, at: u64::MAX, most: u32::MAX },
            Request::Close { handle: 1 },
            Request::Look { name: name.clone() },
            Request::IsLocked { name: name.clone() },
            Request::Identity { folder: Some(name.clone()) },
            Request::Verify(Box::new(how)),
            Request::Checkpoint { kind: None },
            Request::Checkpoint { kind: Some("kind".to_owned()) },
            Request::Sum { name },
            Request::Discard,
        ]
    }

    #[test]
    fn what_is_asked_is_understood_and_every_flip_is_told_or_asks_otherwise() {
        for request in all() {
            let asked = Asked { id: 77, request };
            let bytes = asked.encode();
            assert_eq!(Asked::decode(&bytes).as_ref(), Ok(&asked));
            for at in 0..bytes.len() {
                assert!(Asked::decode(bytes.get(..at).unwrap()).unwrap_err().at <= at);
                for change in 1..=255 {
                    let mut other = bytes.clone();
                    *other.get_mut(at).unwrap() ^= change;
                    if let Ok(heard) = Asked::decode(&other) {
                        assert!(heard != asked && heard.encode() == other, "byte {at}: {heard:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn no_name_leaves_the_root() {
        for name in [&b"../x"[..], b"/etc/passwd", b"a/../../b", b"", b"a\0b"] {
            let mut bytes = 1_u32.to_le_bytes().to_vec();
            bytes.push(LOOK);
            put_bytes(name, &mut bytes);
            assert_eq!(Asked::decode(&bytes).unwrap_err().at, 5);
        }
    }
}
