//! `Hello`: what either end says first.

use super::field::{Fields, put_bytes, put_text};
use super::{Bad, VERSION};

/// What every hello begins with, whatever its version.
const MAGIC: &[u8; 16] = b"highwater reads\n";

/// What either end says first. Its first fields are the same in every version of the protocol, so that ends that do not
/// fit can say so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hello {
    /// The protocol that this end speaks.
    pub protocol: u32,
    /// The version of its program, for sentences.
    pub program: String,
    /// The near end: the root that is asked for, as its user wrote it. The far end: the one that it serves.
    pub root: Vec<u8>,
    /// The far end: whether these are one. The near end says no.
    pub is_it: bool,
    /// What the far end holds at a time; of the near end, nothing.
    pub limits: Limits,
}

/// What a far end holds at a time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Limits {
    /// Objects that are open.
    pub handles: u32,
    /// Requests that were not answered yet.
    pub under_way: u32,
}

impl Hello {
    /// The bytes of it.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        out.extend(self.protocol.to_le_bytes());
        put_text(&self.program, &mut out);
        put_bytes(self.root.get(..super::TEXT).unwrap_or(&self.root), &mut out);
        out.push(u8::from(self.is_it));
        out.extend(self.limits.handles.to_le_bytes());
        out.extend(self.limits.under_way.to_le_bytes());
        out
    }

    /// Whether bytes, the first that came, may be the beginning of a frame with a hello in it. Whoever has a shell
    /// there that greets him gets something else.
    #[must_use]
    pub fn may_begin(bytes: &[u8]) -> bool {
        bytes.iter().skip(super::HEAD).zip(MAGIC).all(|(one, other)| one == other)
            && bytes.get(2..4).is_none_or(|high| high == [0, 0])
    }

    /// Reads one. Of another version of the protocol, only that and the program are known.
    ///
    /// # Errors
    /// [`Bad`] when the bytes are none.
    pub fn decode(bytes: &[u8]) -> Result<Self, Bad> {
        let mut fields = Fields::new(bytes);
        if fields.exactly(MAGIC.len())? != MAGIC {
            return Err(Bad { at: 0, what: "no hello of this program" });
        }
        let (protocol, program) = (fields.short()?, fields.text()?);
        if protocol != VERSION {
            return Ok(Self { protocol, program, root: Vec::new(), is_it: false, limits: Limits::default() });
        }
        let (root, is_it) = (fields.path()?, fields.flag()?);
        let limits = Limits { handles: fields.short()?, under_way: fields.short()? };
        fields.end()?;
        Ok(Self { protocol, program, root, is_it, limits })
    }
}

#[cfg(test)]
mod tests {
    use super::super::framed;
    use super::*;

    fn hello() -> Hello {
        let limits = Limits { handles: 7, under_way: 9 };
        Hello { protocol: VERSION, program: "1.2.3".to_owned(), root: b"/srv/\xff".to_vec(), is_it: true, limits }
    }

    #[test]
    fn what_is_said_is_heard_and_every_cut_is_told() {
        let bytes = hello().encode();
        assert_eq!(Hello::decode(&bytes), Ok(hello()));
        for end in 0..bytes.len() {
            let bad = Hello::decode(bytes.get(..end).unwrap()).unwrap_err();
            assert!(bad.at <= end, "{bad}");
        }
        let mut longer = bytes;
        longer.push(0);
        assert!(Hello::decode(&longer).unwrap_err().to_string().contains("more follows"));
    }

    #[test]
    fn another_version_is_heard_as_far_as_it_is_the_same() {
        let other = Hello { protocol: VERSION + 1, ..hello() };
        let mut bytes = other.encode();
        bytes.extend(b"whatever it says");
        let heard = Hello::decode(&bytes).unwrap();
        assert_eq!((heard.protocol, heard.program.as_str()), (VERSION + 1, "1.2.3"));
    }

    #[test]
    fn a_greeting_of_a_shell_is_no_hello() {
        let frame = framed(&hello().encode());
        assert!((0..=frame.len()).all(|end| Hello::may_begin(frame.get(..end).unwrap())));
        assert!(!Hello::may_begin(b"Welcome to this machine"));
        assert!(!Hello::may_begin(b"Welc"));
        assert!(!Hello::may_begin(b"\x40\0\0\0highwater writes"));
    }
}
