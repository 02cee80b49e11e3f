//! Tests of the `.index` form: opcodes, splits, damage.

use super::super::sample::Random;
use super::*;

fn index(entries: impl IntoIterator<Item = (u64, u64)>) -> OidIndex {
    let mut index = OidIndex::new();
    entries.into_iter().for_each(|(oid, at)| index.insert(oid, at).unwrap());
    index
}

fn encoded(index: &OidIndex, pos: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode(index, pos, &mut |piece| bytes.extend_from_slice(piece));
    bytes
}

/// The parts as owned text, or the error, and that no split changes them.
fn parts(bytes: &[u8]) -> Result<Vec<String>, Bad> {
    let mut random = Random(11);
    let mut outcomes = [1, 7, 31, 4095, 0, usize::MAX].map(|step: usize| {
        let (mut decoder, mut parts, mut rest) = (Decoder::new(), Vec::new(), bytes);
        while !rest.is_empty() {
            let n = if step == 0 { 1 + random.below(300) } else { step };
            let (now, later) = rest.split_at(n.min(rest.len()));
            decoder.push(now, &mut |entry| parts.push(format!("{entry:?}")))?;
            rest = later;
        }
        decoder.finish().map(|()| parts)
    });
    let first = outcomes[0].clone();
    assert!(outcomes.iter_mut().all(|o| *o == first));
    first
}

fn bad(bytes: &[u8]) -> (u64, BadKind) {
    let Bad { at, what } = parts(bytes).unwrap_err();
    assert_eq!(decode_whole(bytes), Err(Bad { at, what }));
    (at, what)
}

#[test]
fn positions_take_the_forms_of_the_pickler() {
    for (pos, form) in [
        (0, &b"K\0"[..]),
        (255, b"K\xff"),
        (256, b"M\0\x01"),
        (65_535, b"M\xff\xff"),
        (65_536, b"J\0\0\x01\0"),
        ((1 << 31) - 1, b"J\xff\xff\xff\x7f"),
        (1 << 31, b"\x8a\x05\0\0\0\x80\0"),
        (1 << 32, b"\x8a\x05\0\0\0\0\x01"),
        ((1 << 48) - 1, b"\x8a\x07\xff\xff\xff\xff\xff\xff\0"),
        (1 << 63, b"\x8a\x09\0\0\0\0\0\0\0\x80\0"),
        (u64::MAX, b"\x8a\x09\xff\xff\xff\xff\xff\xff\xff\xff\0"),
    ] {
        let bytes = encoded(&OidIndex::new(), pos);
        assert_eq!(bytes, [b"\x80\x03", form, b".\x80\x03N."].concat());
        assert_eq!(decode_whole(&bytes), Ok((pos, OidIndex::new())));
        assert_eq!(parts(&bytes).unwrap().len(), 2);
    }
}

#[test]
fn buckets_take_the_forms_of_the_pickler() {
    for (count, head) in [
        (1, &b"C\x08"[..]),
        (31, b"C\xf8"),
        (32, b"B\0\x01\0\0"),
        (65_535, b"B\xf8\xff\x07\0"),
        (65_536, b"B\0\0\x08\0"),
    ] {
        let first = 0x0102_0304_0506_0000;
        let whole = index((0..count).map(|n| (first + n, (1 << 48) - 1 - n)));
        let bytes = encoded(&whole, 9);
        let mut expected = [b"\x80\x03K\x09.\x80\x03C\x06\x01\x02\x03\x04\x05\x06", head].concat();
        (0..count).for_each(|n| expected.extend(&n.to_be_bytes()[6..]));
        (0..count).for_each(|n| expected.extend(&((1_u64 << 48) - 1 - n).to_be_bytes()[2..]));
        expected.extend(b"\x86.\x80\x03N.");
        assert_eq!(bytes, expected, "{count}");
        assert_eq!(decode_whole(&bytes), Ok((9, whole)));
    }
    let sparse = index((0..64).map(|n| (1 << n, 1_u64 << (n % 48))));
    assert_eq!(decode_whole(&encoded(&sparse, 1)), Ok((1, sparse)));
}

#[test]
fn pieces_of_any_size_give_the_same_parts() {
    let mut random = Random(5);
    let whole = index((0..3000).map(|n| (n * 37, random.next() >> 16)).chain([(u64::MAX, 4)]));
    let bytes = encoded(&whole, 1 << 40);
    assert_eq!(parts(&bytes).unwrap().len(), 3 + 2);
}

#[test]
fn what_python_2_wrote_is_read() {
    let whole = index((0..40).map(|n| (n, n + 4)));
    let tail: Vec<u8> = (0..40_u16).flat_map(u16::to_be_bytes).collect();
    let tail = [tail, (4..44_u64).flat_map(|n| n.to_be_bytes()[2..].to_vec()).collect()].concat();
    let mark = [b"(U\x06\0\0\0\0\0\0T\x40\x01\0\0", &tail[..], b"t.N."].concat();
    for pos in [&b"I5000000000\n."[..], b"L5000000000L\n.", b"L5000000000\n.", b"\x80\x02\x8a\x05\0\xf2\x05*\x01."] {
        assert_eq!(decode_whole(&[pos, &mark].concat()), Ok((5_000_000_000, whole.clone())));
        parts(&[pos, &mark].concat()).unwrap();
    }
    let tuple = [b"\x80\x02J\0\0\x10\0.\x80\x02U\x06\0\0\0\0\0\0T\x40\x01\0\0", &tail[..], b"\x86.\x80\x02N."].concat();
    assert_eq!(decode_whole(&tuple), Ok((1 << 20, whole)));
    let one = b"\x80\x01K\x09.(U\x06\0\0\0\0\0\0U\x08\0\x05\0\0\0\0\0\x20t.N.";
    assert_eq!(decode_whole(one), Ok((9, index([(5, 32)]))));
}

#[test]
fn everything_else_is_refused_with_its_offset() {
    let pos = b"\x80\x03K\x09.";
    let then = |rest: &[u8]| bad(&[&pos[..], rest].concat());
    assert_eq!(bad(b""), (0, BadKind::Truncated));
    assert_eq!(bad(pos), (5, BadKind::Truncated));
    assert_eq!(bad(b"\x80\x02}q\x01(U\x03posq\x02K\x09u."), (0, BadKind::OldForm));
    assert_eq!(bad(b"(dp0\nS'pos'\n"), (0, BadKind::OldForm));
    assert_eq!(then(b"}."), (5, BadKind::Order));
    assert_eq!(then(b"K\x09."), (5, BadKind::Order));
    assert_eq!(bad(b"N."), (0, BadKind::Order));
    assert_eq!(bad(b"C\x06abcdefC\x08\0\0abcdef\x86."), (0, BadKind::Order));
    assert_eq!(then(b"\x80\x03N.x"), (9, BadKind::Trailing));
    assert_eq!(bad(b"\x80\x04\x95"), (1, BadKind::Protocol(4)));
    assert_eq!(bad(b"\x80\0K\x09."), (1, BadKind::Protocol(0)));
    assert_eq!(then(b"c__builtin__\neval\n"), (5, BadKind::Opcode(b'c')));
    assert_eq!(then(b"\x80\x03K\x09q\x01."), (9, BadKind::Opcode(b'q')));
    assert_eq!(then(b"(C\x06abcdefC\x08\0\0abcdef\x86."), (24, BadKind::Opcode(0x86)));
    for number in [&b"J\xff\xff\xff\xff."[..], b"\x8a\x01\x80.", b"\x8a\x0a", b"\x8a\x09\0\0\0\0\0\0\0\0\x01."] {
        assert_eq!(bad(number).1, BadKind::Number);
    }
    for number in [&b"I\n."[..], b"I-1\n.", b"I18446744073709551616\n.", b"I000000000000000000000", b"I1L\n", b"L L\n"]
    {
        assert_eq!(bad(number).1, BadKind::Number);
    }
    assert_eq!(decode_whole(b"I18446744073709551615\n.N.").unwrap().0, u64::MAX);
    assert_eq!(decode_whole(b"\x8a\0.N.").unwrap().0, 0);
    for prefix in [&b"C\x05abcde"[..], b"C\x07", b"B\0\0\0\x80", b"T\xff\xff\xff\xff"] {
        assert_eq!(then(prefix).1, BadKind::PrefixLen);
    }
    for bucket in
        [&b"C\0\x86."[..], b"C\x04\0\0ab\x86.", b"C\x09\0\0abcdefg\x86.", b"B\x01\0\x08\0", b"T\xff\xff\xff\xff"]
    {
        assert_eq!(then(&[b"C\x06abcdef", bucket].concat()).1, BadKind::BucketLen);
    }
    let twice = [&b"C\x06abcdefC\x08\0\0abcdef\x86."[..]; 2].concat();
    assert_eq!(then(&twice), (25, BadKind::Unsorted));
    assert_eq!(then(b"C\x06abcdefC\x10\0\x01\0\x01abcdefabcdef\x86."), (5, BadKind::Unsorted));
    assert_eq!(then(b"C\x06abcdefC\x10\0\x02\0\x01abcdefabcdef\x86."), (5, BadKind::Unsorted));
}

#[test]
fn an_error_stays_and_nothing_is_held_for_it() {
    let mut decoder = Decoder::new();
    let bad = decoder.push(b"\x80\x09", &mut |_| {}).unwrap_err();
    assert_eq!(decoder.push(b"K\x09.N.", &mut |_| panic!("after an error")), Err(bad));
    assert_eq!(decoder.finish(), Err(bad));
}

#[test]
fn damage_anywhere_is_answered_without_a_panic() {
    let mut random = Random(21);
    let whole = index((0..300).map(|n| (n * 501, n * 77 + 4)));
    let bytes = encoded(&whole, 1 << 33);
    for _ in 0..1500 {
        let mut broken = bytes.clone();
        broken[random.below(bytes.len())] ^= 1 << random.below(8);
        let cut = random.below(2) * random.below(broken.len());
        broken.truncate(broken.len() - cut);
        let split = parts(&broken);
        assert_eq!(split.is_ok(), decode_whole(&broken).is_ok());
        assert!(cut == 0 || split.is_err());
    }
}
