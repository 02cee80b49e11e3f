//! `Decoder`: reads a `.index` file, pickle by pickle, whatever pieces it arrives in.

use super::{Bad, BadKind, Bucket, Entry, LONGEST_BUCKET};

/// The most digits of a number written as text: those of 2^64.
const LONGEST_TEXT: usize = 20;

/// A reader of `.index` bytes with one buffer, never longer than one bucket and its opcodes.
///
/// It knows the opcodes of ZODB on Python 3 (protocol 3) and on Python 2 (protocol 1, which has no
/// header and writes tuples with a mark and large numbers as text; later protocol 3 with the old
/// string opcodes), and nothing else of pickle: it builds no objects.
#[derive(Debug, Default)]
pub struct Decoder {
    held: Vec<u8>,
    /// The offset of the pickle being read.
    at: u64,
    last_prefix: Option<u64>,
    stage: Stage,
    bad: Option<Bad>,
}

/// Which pickle comes next.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Stage {
    #[default]
    Pos,
    Buckets,
    Ended,
}

impl Decoder {
    /// A decoder at the start of a file.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next bytes and calls `each` for every part that they complete.
    ///
    /// # Errors
    /// [`Bad`] when this is no index; every later call gives the same error.
    pub fn push(&mut self, bytes: &[u8], each: &mut impl FnMut(Entry<'_>)) -> Result<(), Bad> {
        if let Some(bad) = self.bad {
            return Err(bad);
        }
        let done = self.take(bytes, each);
        if let Err(bad) = done {
            self.bad = Some(bad);
            self.held = Vec::new();
        }
        done
    }

    /// Says that nothing follows.
    ///
    /// # Errors
    /// [`Bad`] when the index is not complete.
    pub fn finish(&self) -> Result<(), Bad> {
        match self.bad {
            Some(bad) => Err(bad),
            None if self.stage == Stage::Ended => Ok(()),
            None => Err(Bad { at: self.at.saturating_add(self.held.len() as u64), what: BadKind::Truncated }),
        }
    }

    fn take(&mut self, bytes: &[u8], each: &mut impl FnMut(Entry<'_>)) -> Result<(), Bad> {
        let mut rest = bytes;
        while !(self.held.is_empty() && rest.is_empty()) {
            let at = self.at;
            if self.stage == Stage::Ended {
                return Err(Bad { at, what: BadKind::Trailing });
            }
            let mut held = std::mem::take(&mut self.held);
            match pickle(if held.is_empty() { rest } else { &held }) {
                Ok((value, used)) => {
                    self.accept(value, each).map_err(|what| Bad { at, what })?;
                    self.at = at.saturating_add(used as u64);
                    // What is held ends with its pickle: no more than that was asked for.
                    if held.is_empty() {
                        rest = rest.get(used..).unwrap_or_default();
                    }
                    held.clear();
                    self.held = held;
                }
                Err(Halt::More(need)) => {
                    let lacking = need.saturating_sub(held.len()).min(rest.len());
                    held.extend(rest.iter().take(lacking));
                    self.held = held;
                    if lacking == 0 {
                        break;
                    }
                    rest = rest.get(lacking..).unwrap_or_default();
                }
                Err(Halt::Bad { at: within, what }) => {
                    return Err(Bad { at: at.saturating_add(within as u64), what });
                }
            }
        }
        Ok(())
    }

    fn accept(&mut self, value: Value<'_>, each: &mut impl FnMut(Entry<'_>)) -> Result<(), BadKind> {
        match (self.stage, value) {
            (Stage::Pos, Value::Dict) => return Err(BadKind::OldForm),
            (Stage::Pos, Value::Int(pos)) => {
                self.stage = Stage::Buckets;
                each(Entry::Pos(pos));
            }
            (Stage::Buckets, Value::None) => {
                self.stage = Stage::Ended;
                each(Entry::End);
            }
            (Stage::Buckets, Value::Pair { prefix, bucket }) => {
                if self.last_prefix.is_some_and(|last| last >= prefix) {
                    return Err(BadKind::Unsorted);
                }
                self.last_prefix = Some(prefix);
                // 2 of every 8 bytes are keys.
                let (keys, values) = bucket.split_at_checked(bucket.len() / 4).ok_or(BadKind::BucketLen)?;
                let ((keys, []), (values, [])) = (keys.as_chunks(), values.as_chunks()) else {
                    return Err(BadKind::BucketLen);
                };
                if keys.is_empty() || keys.len() != values.len() {
                    return Err(BadKind::BucketLen);
                }
                if !keys.is_sorted_by(|a, b| a < b) {
                    return Err(BadKind::Unsorted);
                }
                each(Entry::Bucket(Bucket { prefix, keys, values }));
            }
            _ => return Err(BadKind::Order),
        }
        Ok(())
    }
}

/// What one pickle says.
enum Value<'a> {
    Int(u64),
    Pair { prefix: u64, bucket: &'a [u8] },
    None,
    Dict,
}

/// Why a pickle could not be read.
enum Halt {
    /// At least so many bytes are needed.
    More(usize),
    Bad {
        at: usize,
        what: BadKind,
    },
}

/// Reads the pickle at the start of `bytes` and its length. Takes constant time if it is incomplete.
fn pickle(bytes: &[u8]) -> Result<(Value<'_>, usize), Halt> {
    let mut read = Reader { bytes, at: 0 };
    let mut op = read.byte()?;
    if op == 0x80 {
        let protocol = read.byte()?;
        if !(1..=3).contains(&protocol) {
            return read.bad(BadKind::Protocol(protocol));
        }
        op = read.byte()?;
    }
    let value = match op {
        b'}' => return Ok((Value::Dict, read.at)),
        b'N' => Value::None,
        b'K' | b'M' | b'J' | 0x8a | b'I' | b'L' => Value::Int(read.int(op)?),
        b'(' => {
            let op = read.byte()?;
            if op == b'd' {
                return Ok((Value::Dict, read.at));
            }
            read.pair(op, b't')?
        }
        _ => read.pair(op, 0x86)?,
    };
    read.expect(b'.')?;
    Ok((value, read.at))
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// The error at the byte read last.
    fn bad<T>(&self, what: BadKind) -> Result<T, Halt> {
        Err(Halt::Bad { at: self.at.saturating_sub(1), what })
    }

    fn take(&mut self, n: usize) -> Result<&'a [u8], Halt> {
        let end = self.at.saturating_add(n);
        let taken = self.bytes.get(self.at..end).ok_or(Halt::More(end))?;
        self.at = end;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Halt> {
        let at = self.at;
        self.take(N)?.first_chunk().copied().ok_or(Halt::More(at.saturating_add(N)))
    }

    fn byte(&mut self) -> Result<u8, Halt> {
        self.array().map(|[byte]| byte)
    }

    fn expect(&mut self, op: u8) -> Result<(), Halt> {
        match self.byte()? {
            byte if byte == op => Ok(()),
            byte => self.bad(BadKind::Opcode(byte)),
        }
    }

    fn int(&mut self, op: u8) -> Result<u64, Halt> {
        let number = match op {
            b'K' => Some(u64::from(self.byte()?)),
            b'M' => Some(u64::from(u16::from_le_bytes(self.array()?))),
            b'J' => u64::try_from(i32::from_le_bytes(self.array()?)).ok(),
            0x8a => {
                let len = self.byte()?;
                if len > 9 {
                    return self.bad(BadKind::Number);
                }
                let digits = self.take(usize::from(len))?;
                let negative = digits.last().is_some_and(|top| *top > 0x7f);
                let number = digits.iter().rev().fold(0_u128, |n, b| n << 8 | u128::from(*b));
                u64::try_from(number).ok().filter(|_| !negative)
            }
            _ => return self.text_int(op),
        };
        number.map_or_else(|| self.bad(BadKind::Number), Ok)
    }

    /// `I123\n` or `L123L\n`: how protocol 1 writes what does not fit into 32 bits.
    fn text_int(&mut self, op: u8) -> Result<u64, Halt> {
        let mut number = None;
        for _ in 0..=LONGEST_TEXT {
            let byte = self.byte()?;
            match (byte, number) {
                (b'0'..=b'9', _) => {
                    let ten = number.unwrap_or(0_u64).checked_mul(10);
                    number = ten.and_then(|n| n.checked_add(u64::from(byte - b'0')));
                    if number.is_none() {
                        return self.bad(BadKind::Number);
                    }
                }
                (b'L', Some(n)) if op == b'L' => return self.expect(b'\n').map(|()| n),
                (b'\n', Some(n)) => return Ok(n),
                _ => return self.bad(BadKind::Number),
            }
        }
        self.bad(BadKind::Number)
    }

    /// A byte string of at most `most` bytes after its opcode; `wrong` says that it is longer.
    fn string(&mut self, op: u8, most: usize, wrong: BadKind) -> Result<&'a [u8], Halt> {
        let len = match op {
            b'C' | b'U' => u32::from(self.byte()?),
            // 'T' has a signed length; a negative one is too long here, too.
            b'B' | b'T' => u32::from_le_bytes(self.array()?),
            _ => return self.bad(BadKind::Opcode(op)),
        };
        let len = usize::try_from(len).unwrap_or(usize::MAX);
        if len > most { self.bad(wrong) } else { self.take(len) }
    }

    /// A prefix, a bucket and the opcode that makes a pair of them.
    fn pair(&mut self, op: u8, tuple: u8) -> Result<Value<'a>, Halt> {
        let prefix = self.string(op, 6, BadKind::PrefixLen)?;
        let &[a, b, c, d, e, f] = prefix else {
            return self.bad(BadKind::PrefixLen);
        };
        let prefix = u64::from_be_bytes([0, 0, a, b, c, d, e, f]);
        let op = self.byte()?;
        let bucket = self.string(op, LONGEST_BUCKET, BadKind::BucketLen)?;
        self.expect(tuple)?;
        Ok(Value::Pair { prefix, bucket })
    }
}
