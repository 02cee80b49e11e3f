//! Targets for streams of bytes: MD5, gunzip, gzip members, and a claim that is checked.

use std::io::Write;

use flate2::{Compression, GzBuilder};
use highwater_core::check::{Check, Damage, Verdict};
use highwater_core::claim::{Claim, Expect};
use highwater_core::codec::{Broken, Codec, Decoder, Flow};
use highwater_core::digest::{Algorithm, Digest, Hasher, md5_of};
use highwater_core::finding::Hurts;
use highwater_core::name::Name;
use highwater_core::report::Depth;
use md5::Digest as _;

use super::feed::{Feed, dice_of, pieces};
use super::reference;

/// Any bytes, in any pieces: the MD5 is that of another program, also at every place where a clone was taken.
pub(crate) fn md5(bytes: &[u8]) {
    let other = |bytes: &[u8]| Digest::Md5(md5::Md5::digest(bytes).into());
    let wanted = other(bytes);
    assert_eq!(md5_of(bytes), wanted);
    let stop = usize::try_from(dice_of(bytes).below(20)).expect("a small number");
    let mut hasher = Hasher::new(Algorithm::Md5);
    let mut taken = 0;
    for (number, piece) in pieces(bytes).into_iter().enumerate() {
        hasher.update(piece);
        taken += piece.len();
        if number == stop {
            assert_eq!(hasher.clone().finish(), other(&bytes[..taken]), "after {taken} bytes");
        }
    }
    assert_eq!(hasher.finish(), wanted);
    assert_eq!(Digest::from_hex(Algorithm::Md5, wanted.to_string().as_bytes()), Some(wanted));
}

/// What a decoder makes of pieces: all that it hands on, and how it ends.
fn decode(codec: Codec, pieces: &[&[u8]]) -> (Vec<u8>, Result<(), Broken>) {
    let (mut decoder, mut out) = (Decoder::new(codec, None), Vec::new());
    let mut each = |decoded: &[u8]| {
        assert!(!decoded.is_empty() && decoded.len() <= 32 * 1024 || codec == Codec::Plain, "one buffer at most");
        out.extend_from_slice(decoded);
        Flow::Continue(())
    };
    for piece in pieces {
        if let Err(broken) = decoder.push(piece, &mut each) {
            assert_eq!(decoder.push(b"more", &mut each), Err(broken.clone()), "a fault stays");
            assert_eq!(decoder.end(), Err(broken.clone()));
            return (out, Err(broken));
        }
    }
    let end = decoder.end();
    (out, end)
}

/// Any bytes as gzip: accepted exactly when another gunzip accepts them, with the same bytes, and any cut gives the
/// same bytes, the same fault and the same place of it. An odd first byte wraps the rest as a deflate stream into a
/// member whose checksums are right, so that damage reaches what lies behind them.
pub(crate) fn gunzip(bytes: &[u8]) {
    let (kind, rest) = bytes.split_first().unwrap_or((&0, &[]));
    let stored = if kind % 2 == 1 { sealed(rest) } else { rest.to_vec() };
    let whole = decode(Codec::Gzip, &[&stored]);
    let cut = decode(Codec::Gzip, &pieces(&stored));
    assert!(cut.0 == whole.0, "in pieces {} bytes, in one {}", cut.0.len(), whole.0.len());
    assert_eq!(cut.1, whole.1);
    if let Err(broken) = &whole.1 {
        assert!(broken.at <= stored.len() as u64, "{broken:?} in {} bytes", stored.len());
    }
    match (reference::gunzip(&stored), &whole.1) {
        (Some(wanted), Ok(())) => assert!(whole.0 == wanted, "other bytes than another gunzip"),
        (None, Err(_)) => {}
        (other, ours) => panic!("another gunzip: {:?} bytes, this one: {ours:?}", other.map(|bytes| bytes.len())),
    }
    assert_eq!(decode(Codec::Plain, &pieces(&stored)), (stored, Ok(())));
}

/// The deflate stream at the start of `bytes` as a gzip member, and whatever follows it.
fn sealed(bytes: &[u8]) -> Vec<u8> {
    let mut member = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
    if let Some((inflated, used)) = reference::inflate(bytes) {
        let length = u32::try_from(inflated.len()).expect("a short stream");
        member.extend(&bytes[..used]);
        member.extend(reference::crc(&inflated).to_le_bytes());
        member.extend(length.to_le_bytes());
        member.extend(&bytes[used..]);
    } else {
        member.extend(bytes);
    }
    member
}

/// Members with any headers, levels and contents: what was compressed comes back, zeros after it or not; and when one
/// bit is flipped, what another gunzip makes of it. (That is mostly a fault, but a header has no checksum: one whose
/// field of extra bytes becomes longer can swallow a whole member.)
pub(crate) fn gzip(bytes: &[u8]) {
    let mut feed = Feed(bytes);
    let (mut stored, mut plain) = (Vec::new(), Vec::new());
    for _ in 0..1 + feed.byte() % 3 {
        let mut header = GzBuilder::new().mtime(u32::from(feed.byte()));
        let which = feed.byte();
        let text = |bytes: &[u8]| bytes.iter().copied().filter(|byte| *byte != 0).collect::<Vec<u8>>();
        if which & 1 != 0 {
            header = header.filename(text(feed.block()));
        }
        if which & 2 != 0 {
            header = header.comment(text(feed.block()));
        }
        if which & 4 != 0 {
            header = header.extra(feed.block());
        }
        let mut member = header.write(Vec::new(), Compression::new(u32::from(which >> 4) % 10));
        let content = feed.long_block();
        for _ in 0..1 + which % 4 {
            member.write_all(content).expect("memory");
            plain.extend_from_slice(content);
        }
        stored.extend(member.finish().expect("memory"));
    }
    let members = stored.len();
    stored.resize(members + usize::from(feed.byte() % 4) * 100, 0);
    let (out, end) = decode(Codec::Gzip, &pieces(&stored));
    assert!(end.is_ok() && out == plain, "{end:?}: {} bytes come back of {}", out.len(), plain.len());
    let at = usize::try_from(dice_of(bytes).below(members as u64)).expect("a place");
    stored[at] ^= 1 << (bytes.len() % 8);
    let (out, end) = decode(Codec::Gzip, &[&stored]);
    assert!(end.ok().map(|()| out) == reference::gunzip(&stored), "other bytes than another gunzip, flipped at {at}");
}

/// Any stored bytes for any claim: the verdict is the one that decoding everything first would give, at any cut, and no
/// more is handed on than the claim expects.
pub(crate) fn claim(bytes: &[u8]) {
    let mut feed = Feed(bytes);
    let flags = feed.byte();
    let codec = if flags & 1 == 0 { Codec::Plain } else { Codec::Gzip };
    let depth = if flags & 2 == 0 { Depth::Digest } else { Depth::Size };
    let (change, stored) = (i64::from(feed.byte()) % 5, feed.0);
    let decoded = if codec == Codec::Plain { Some(stored.to_vec()) } else { reference::gunzip(stored) };
    let (raw, _) = decode(codec, &[stored]);
    // Mostly the right length and digest, sometimes a little or a lot more or less.
    let length = match (raw.len() as u64, flags >> 4) {
        (length, 0..8) => length,
        (length, 8..12) => length.saturating_add_signed(change - 2),
        (_, 12) => u64::MAX,
        (_, _) => 0,
    };
    let digest = if flags & 4 == 0 { md5_of(&raw) } else { md5_of(b"other bytes") };
    let claim = Claim {
        object: Name::new(b"2026-03-01-00-00-00.fs").expect("a name"),
        index: Name::new(b"2026-03-01-00-00-00.dat").expect("a name"),
        codec,
        expect: Expect { length, digest: Some(digest) },
        marks: None,
        range: None,
        extent: None,
        hurts: Hurts::All,
    };
    let check = |pieces: &[&[u8]]| {
        let (mut check, mut handed) = (Check::new(&claim, depth, None), Vec::new());
        for piece in pieces {
            if check.push(piece, &mut |bytes| handed.extend_from_slice(bytes)).is_break() {
                break;
            }
        }
        assert_eq!(check.length(), handed.len() as u64);
        (check.end(), handed)
    };
    let (verdict, handed) = check(&[stored]);
    assert_eq!(check(&pieces(stored)), (verdict.clone(), handed.clone()), "in pieces");
    let most = usize::try_from(length).unwrap_or(usize::MAX).min(raw.len());
    assert!(handed[..] == raw[..most], "{} bytes of {} handed on", handed.len(), raw.len());
    let wanted = match decoded {
        _ if raw.len() as u64 > length => "longer",
        None => "broken",
        Some(decoded) if (decoded.len() as u64) < length => "shorter",
        Some(_) if depth == Depth::Digest && md5_of(&raw) != digest => "other",
        Some(_) => "sound",
    };
    let found = match &verdict {
        Verdict::Sound => "sound",
        Verdict::Damaged(Damage::Length { more: true, .. }) => "longer",
        Verdict::Damaged(Damage::Length { .. }) => "shorter",
        Verdict::Damaged(Damage::Digest { .. }) => "other",
        Verdict::Damaged(Damage::Encoding(_)) => "broken",
        other => panic!("{other:?}"),
    };
    assert_eq!(found, wanted, "{verdict:?}");
    assert_eq!(verdict.finding(&claim).is_none(), wanted == "sound");
}
