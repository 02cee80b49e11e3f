//! The bytes that may change unseen, each with the reason why nothing is lost by it.

use std::io::Read;

use flate2::read::MultiGzDecoder;

/// Why a change of one byte may go unseen: a reason, or none.
pub fn redundant(name: &str, at: usize, before: &[u8], after: &[u8]) -> Option<&'static str> {
    let (old, new) = (before[at], after[at]);
    if name.ends_with(".dat") {
        let start = before[..at].iter().rposition(|byte| *byte == b'\n').map_or(0, |lf| lf + 1);
        let end = before[at..].iter().position(|byte| *byte == b'\n').map_or(before.len(), |more| at + more);
        let slash = before[start..end].iter().rposition(|byte| *byte == b'/').map_or(start, |more| start + more);
        if at < slash && new != b'\n' {
            return Some("readers take the path's last component only");
        }
        if at == slash && new == b'\\' {
            return Some("a Python on Windows separates so");
        }
        if old == b' ' && matches!(new, b'\t' | 0x0c | b'\r') {
            return Some("white space of another kind separates as well, for the original too");
        }
        if at == before.len() - 1 && new.is_ascii_whitespace() {
            return Some("the last line may end with white space of another kind");
        }
        if at >= end.saturating_sub(32) && old.eq_ignore_ascii_case(&new) {
            return Some("hex digits mean the same in both cases");
        }
    }
    if name.ends_with(".index") && at > 0 && before[at - 1] == 0x80 && (1..=3).contains(&old) && (1..=3).contains(&new)
    {
        return Some("the pickle protocols 1 to 3 differ in opcodes that stand elsewhere");
    }
    if name.ends_with(".index") && matches!((old, new), (b'C', b'U') | (b'B', b'T')) {
        return Some("so Python 2 writes the same bytes; a ZODB that cannot read them makes the index anew");
    }
    if name.ends_with('z') {
        let mut bytes = Vec::new();
        let read = MultiGzDecoder::new(after).read_to_end(&mut bytes);
        let mut whole = Vec::new();
        MultiGzDecoder::new(before).read_to_end(&mut whole).expect("the undamaged file is whole");
        if read.is_ok() && bytes == whole {
            return Some("another gunzip gets the very same bytes, sums included");
        }
    }
    None
}
