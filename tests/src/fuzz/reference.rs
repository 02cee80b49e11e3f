//! Readers with no cunning that share no code with the engine: gunzip on another inflater, and a walk over a whole
//! `Data.fs`.

use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::{DecompressorOxide, decompress, inflate_flags};

/// What a raw deflate stream at the start of `bytes` gives, and how many bytes it has; none when it is broken or has no
/// end.
pub(crate) fn inflate(bytes: &[u8]) -> Option<(Vec<u8>, usize)> {
    let flags = inflate_flags::TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
    let mut state = Box::<DecompressorOxide>::default();
    let (mut out, mut read, mut written) = (vec![0; 4096], 0, 0);
    loop {
        let (status, used, made) = decompress(&mut state, &bytes[read..], &mut out, written, flags);
        (read, written) = (read + used, written + made);
        match status {
            TINFLStatus::Done => {
                out.truncate(written);
                return Some((out, read));
            }
            TINFLStatus::HasMoreOutput => out.resize(out.len() * 2, 0),
            _ => return None,
        }
    }
}

/// What gzip members one after another hold, zeros after the last allowed; none when that is not what the bytes are.
///
/// The checksum that a header may have of itself is not looked at: neither Python nor Highwater does.
pub(crate) fn gunzip(bytes: &[u8]) -> Option<Vec<u8>> {
    let (mut rest, mut out) = (bytes, Vec::new());
    loop {
        let body = after_header(rest)?;
        let (inflated, used) = inflate(body)?;
        let (trailer, after) = body[used..].split_first_chunk::<8>()?;
        let length = u32::try_from(inflated.len() as u64 & 0xffff_ffff).ok()?;
        let wanted = [crc(&inflated).to_le_bytes(), length.to_le_bytes()].concat();
        if trailer[..] != wanted {
            return None;
        }
        out.extend(inflated);
        if after.iter().all(|byte| *byte == 0) {
            return Some(out);
        }
        rest = after;
    }
}

/// The bytes after a member's header (RFC 1952 section 2.3).
fn after_header(bytes: &[u8]) -> Option<&[u8]> {
    let (&[0x1f, 0x8b, 8, flags, _, _, _, _, _, _], mut rest) = bytes.split_first_chunk()? else { return None };
    if flags & 0xe0 != 0 {
        return None;
    }
    if flags & 4 != 0 {
        let (length, after) = rest.split_first_chunk()?;
        rest = after.get(usize::from(u16::from_le_bytes(*length))..)?;
    }
    for flag in [8, 16] {
        if flags & flag != 0 {
            rest = &rest[rest.iter().position(|byte| *byte == 0)? + 1..];
        }
    }
    if flags & 2 != 0 { rest.get(2..) } else { Some(rest) }
}

/// The CRC-32 of gzip, a bit at a time.
pub(crate) fn crc(bytes: &[u8]) -> u32 {
    const TABLE: [u32; 16] = {
        let mut table = [0; 16];
        let mut at = 0;
        while at < 16 {
            let (mut value, mut bit) = (at as u32, 0);
            while bit < 4 {
                value = if value & 1 == 1 { value >> 1 ^ 0xedb8_8320 } else { value >> 1 };
                bit += 1;
            }
            table[at] = value;
            at += 1;
        }
        table
    };
    let nibble = |crc: u32, bits: u32| crc >> 4 ^ TABLE[((crc ^ bits) & 15) as usize];
    !bytes.iter().fold(!0, |crc, byte| nibble(nibble(crc, u32::from(*byte)), u32::from(*byte) >> 4))
}

/// A complete transaction: its place, its end, its id, and of each record the object, the offset and `prev`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Transaction {
    pub(crate) at: u64,
    pub(crate) end: u64,
    pub(crate) tid: u64,
    pub(crate) records: Vec<(u64, u64, u64)>,
}

/// How the reading of a `Data.fs` ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// After the last complete transaction; what follows, if anything, is not finished.
    Well,
    /// At a contradiction.
    Badly,
}

/// The complete transactions of a whole file, as the layout in the documentation of `filestorage` says and ZODB's
/// `read_index` goes about it.
pub(crate) fn transactions(file: &[u8]) -> (Vec<Transaction>, Ended) {
    let (mut found, mut at) = (Vec::new(), 4);
    if file.is_empty() {
        return (found, Ended::Well);
    }
    if !file.starts_with(b"FS21") && !file.starts_with(b"FS30") {
        return (found, Ended::Badly);
    }
    let number = |at: usize| file.get(at..).and_then(|rest| rest.first_chunk()).copied().map(u64::from_be_bytes);
    let short = |at: usize| usize::from(u16::from_be_bytes([file[at], file[at + 1]]));
    while file.len() - at >= 23 {
        let (Some(tid), Some(length)) = (number(at), number(at + 8)) else { break };
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let Some(end) = at.checked_add(length).filter(|end| *end <= file.len() - 8) else { break };
        let (status, header) = (file[at + 16], 23 + short(at + 17) + short(at + 19) + short(at + 21));
        if status == b'c' {
            break;
        }
        if length < header {
            // Rubbish at the end is passed over, unless the last eight bytes could be a length that leads back to here.
            let last = number(file.len() - 8).unwrap_or(0);
            let leads_here = last >= 23 && usize::try_from(last).is_ok_and(|n| n <= file.len() && file.len() - n >= at);
            return (found, if leads_here { Ended::Badly } else { Ended::Well });
        }
        if !status.is_ascii() {
            return (found, Ended::Badly);
        }
        if tid == u64::MAX {
            break;
        }
        let mut transaction = Transaction { at: at as u64, end: end as u64 + 8, tid, records: Vec::new() };
        let mut place = if status == b'u' { end } else { at + header };
        while place < end {
            if end - place < 42 {
                return (found, Ended::Badly);
            }
            let [oid, prev, tloc, data] = [0, 16, 24, 34].map(|offset| number(place + offset).unwrap_or(0));
            let body = if data == 0 { 8 } else { usize::try_from(data).unwrap_or(usize::MAX) };
            let next = (place + 42).checked_add(body).filter(|next| *next <= end);
            let Some(next) = next.filter(|_| short(place + 32) == 0 && tloc == at as u64) else {
                return (found, Ended::Badly);
            };
            transaction.records.push((oid, place as u64, prev));
            place = next;
        }
        if number(end) != Some(length as u64) {
            return (found, Ended::Badly);
        }
        found.push(transaction);
        at = end + 8;
    }
    (found, Ended::Well)
}
