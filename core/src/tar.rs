//! tar in the format of POSIX (pax): the blocks that stand before the bytes of each member of an archive.
//!
//! | of a member | lies in |
//! |---|---|
//! | path, text of a link | the plain header where they fit, byte for byte; else `path`, `linkpath` |
//! | path that fits nowhere and is no UTF-8 | the same, after `hdrcharset=BINARY` |
//! | size from 8 GiB on, users and groups from 2 097 152 on | `size`, `uid`, `gid` |
//! | time with a fraction, before 1970, or after the year 2242 | `mtime`, in seconds with nine digits behind the dot |
//!
//! A path begins with `./`, that of a folder ends with `/`. Names of users and groups are left empty. What is not on
//! record of a member is what a restore gives: mode 0644 (of folders 0755), user and group 0, the time 0.

mod field;
mod records;

use crate::node::{Meta, Node, NodeKind};
use field::{Header, fits_in_eight, fits_in_twelve};
use records::Records;

/// Bytes of a block, which all in an archive is made of.
pub const BLOCK: usize = 512;

/// What ends an archive: two blocks of zeros, after which a reader knows that it has all.
pub const END: [u8; 2 * BLOCK] = [0; 2 * BLOCK];

/// Bytes of zeros that follow the bytes of a member of this length.
#[must_use]
pub fn padding(length: u64) -> usize {
    let over = usize::try_from(length % BLOCK as u64).unwrap_or_default();
    if over == 0 { 0 } else { BLOCK.saturating_sub(over) }
}

/// Adds the blocks that stand before the bytes of a member. Only a [`NodeKind::File`] has bytes behind them: as many as
/// it says, then the [`padding`].
pub fn push_member(node: &Node, out: &mut Vec<u8>) {
    let Node { path, kind, meta } = node;
    let mut name = path.as_ref().map_or_else(|| b".".to_vec(), |path| [b"./", path.as_bytes()].concat());
    let (flag, size, link) = match kind {
        NodeKind::Folder => (b'5', 0, Vec::new()),
        NodeKind::File(size) => (b'0', *size, Vec::new()),
        NodeKind::Link(text) => (b'2', 0, text.clone()),
        NodeKind::Hard(of) => (b'1', 0, [b"./", of.as_bytes()].concat()),
        // Neither is handed on: of the one nobody has the bytes, of the other there is nothing to be made.
        NodeKind::Part(_) | NodeKind::LeftOut(_) => (b'0', 0, Vec::new()),
    };
    if *kind == NodeKind::Folder {
        name.push(b'/');
    }
    let Meta { mode, uid, gid, modified } = *meta;
    let mode = mode.unwrap_or(if *kind == NodeKind::Folder { 0o755 } else { 0o644 });
    let (uid, gid) = (u64::from(uid.unwrap_or(0)), u64::from(gid.unwrap_or(0)));
    let (seconds, nanoseconds) = modified.unwrap_or((0, 0));
    let mut header = Header::new(flag, mode);
    let mut records = Records::default();
    if !header.name(&name) {
        records.text(b"path", &name);
    }
    if !header.link(&link) {
        records.text(b"linkpath", &link);
    }
    for (key, value) in [(&b"uid"[..], uid), (b"gid", gid)] {
        if !fits_in_eight(value) {
            records.push(key, value.to_string().as_bytes());
        }
    }
    if !fits_in_twelve(size) {
        records.push(b"size", size.to_string().as_bytes());
    }
    let whole = u64::try_from(seconds).ok().filter(|seconds| fits_in_twelve(*seconds));
    if whole.is_none() || nanoseconds != 0 {
        records.push(b"mtime", decimal(seconds, nanoseconds).as_bytes());
    }
    let extra = records.finish();
    if !extra.is_empty() {
        let mut before = Header::new(b'x', 0o644);
        // Who knows no extended header makes a file of this name of it.
        before.name(b"./PaxHeaders/member");
        before.numbers((0, 0), extra.len() as u64, 0);
        out.extend_from_slice(&before.finish());
        out.extend_from_slice(&extra);
        out.resize(out.len().saturating_add(padding(extra.len() as u64)), 0);
    }
    header.numbers((uid, gid), size, whole.unwrap_or(0));
    out.extend_from_slice(&header.finish());
}

/// A time as a decimal number of seconds. Nanoseconds count forwards, also before 1970.
fn decimal(seconds: i64, nanoseconds: u32) -> String {
    match (seconds, nanoseconds) {
        (_, 0) => seconds.to_string(),
        (0.., _) => format!("{seconds}.{nanoseconds:09}"),
        _ => {
            let (whole, rest) =
                (seconds.saturating_add(1).unsigned_abs(), 1_000_000_000_u32.saturating_sub(nanoseconds));
            format!("-{whole}.{rest:09}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::Name;

    fn member(path: &[u8], kind: NodeKind, meta: Meta) -> Vec<u8> {
        let mut out = Vec::new();
        push_member(&Node { path: Name::new(path).ok(), kind, meta }, &mut out);
        assert_eq!(out.len() % BLOCK, 0);
        out
    }

    fn meta(modified: (i64, u32)) -> Meta {
        Meta { mode: Some(0o4750), uid: Some(1000), gid: Some(2_097_151), modified: Some(modified) }
    }

    #[test]
    fn a_plain_member_is_one_block_with_its_sum() {
        let block = member(b"a/b", NodeKind::File(5), meta((1_700_000_000, 0)));
        assert_eq!(block.len(), BLOCK);
        assert_eq!(&block[..6], b"./a/b\0");
        assert_eq!(&block[100..108], b"0004750\0");
        assert_eq!(&block[108..124], b"0001750\x007777777\0");
        assert_eq!(&block[124..136], b"00000000005\0");
        assert_eq!(&block[136..148], b"14524770400\0");
        assert_eq!(&block[156..157], b"0");
        assert_eq!(&block[257..265], b"ustar\x0000");
        let sum: u32 =
            block.iter().zip(0..).map(|(byte, at)| if (148..156).contains(&at) { 32 } else { u32::from(*byte) }).sum();
        assert_eq!(block[148..156], *format!("{sum:06o}\0 ").as_bytes());
    }

    #[test]
    fn what_no_field_holds_is_a_record() {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let big = member(b"big", NodeKind::File(0o77_777_777_777 + 1), meta((1, 5)));
        assert_eq!(big.len(), 3 * BLOCK);
        assert!(text(&big).contains("19 size=8589934592\n") && text(&big).contains("21 mtime=1.000000005\n"));
        let owner = Meta { uid: Some(u32::MAX), ..meta((-2, 500_000_000)) };
        let owned = text(&member(b"f", NodeKind::Folder, owner));
        assert!(owned.contains("18 uid=4294967295\n") && owned.contains("22 mtime=-1.500000000\n"), "{owned}");
        assert!(text(&member(b"f", NodeKind::Folder, meta((-1, 999_999_999)))).contains("=-0.000000001\n"));
        assert!(text(&member(b"f", NodeKind::Folder, meta((-7, 0)))).contains(" mtime=-7\n"));
        // The most that a field holds.
        assert_eq!(member(b"f", NodeKind::File(0o77_777_777_777), meta((0o77_777_777_777, 0))).len(), BLOCK);
    }

    #[test]
    fn long_names_are_split_and_longer_ones_are_records() {
        let part = |length: usize, byte: u8| vec![byte; length];
        // 155 bytes before a slash, 100 behind it.
        let split = [&part(153, b'p')[..], b"/", &part(100, b'\xff')].concat();
        let block = member(&split, NodeKind::File(0), meta((1, 0)));
        assert_eq!((block.len(), &block[345..500]), (BLOCK, &[&b"./"[..], &part(153, b'p')].concat()[..]));
        assert_eq!(&block[..100], &part(100, b'\xff'));
        let raw = member(&part(101, b'\xff'), NodeKind::File(0), meta((1, 0)));
        let charset = raw.windows(26).position(|bytes| bytes == b"21 hdrcharset=BINARY\n113 p");
        assert!(charset.is_some() && raw.len() == 3 * BLOCK, "{}", String::from_utf8_lossy(&raw));
        let plain = member(&part(101, b'a'), NodeKind::Link(part(101, b'b')), meta((1, 0)));
        let plain = String::from_utf8_lossy(&plain);
        assert!(
            plain.contains("113 path=./aaa") && plain.contains("115 linkpath=bbb") && !plain.contains("hdrcharset")
        );
    }

    #[test]
    fn a_folder_ends_with_a_slash_and_the_top_has_a_name() {
        let mut out = Vec::new();
        push_member(&Node { path: None, kind: NodeKind::Folder, meta: Meta::default() }, &mut out);
        assert_eq!((&out[..3], &out[100..108], out[156]), (&b"./\0"[..], &b"0000755\0"[..], b'5'));
        let hard = member(b"again", NodeKind::Hard(Name::new(b"first").unwrap()), meta((1, 0)));
        assert_eq!((&hard[157..165], hard[156], &hard[124..136]), (&b"./first\0"[..], b'1', &b"00000000000\0"[..]));
        assert_eq!((padding(0), padding(1), padding(512), padding(513)), (0, 511, 0, 511));
    }
}
