//! Blobs whole, cut, flipped and made to harm.

use super::super::{Broken, Codec, Decoder, Flow, Sealing};
use super::*;

/// A blob of `magic` with a right checksum.
fn blob(magic: [u8; 8], body: &[u8]) -> Vec<u8> {
    [&magic[..], &crc32fast::hash(body).to_le_bytes(), body].concat()
}

fn zstd(data: &[u8]) -> Vec<u8> {
    let mut out = vec![0; zstd_safe::compress_bound(data.len())];
    let length = zstd_safe::compress(&mut out[..], data, 1).unwrap_or_default();
    out.truncate(length);
    out
}

/// Text that compresses, noise that does not, and more than one block of it.
fn data() -> Vec<u8> {
    let mut noise = 1u32;
    let mut step = |_| {
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        noise.to_le_bytes()[3]
    };
    let text = b"as the index says, so the chunk is. ".repeat(5000);
    [text, (0..70_000).map(&mut step).collect()].concat()
}

/// What a blob decodes to when it comes in pieces of `size` bytes, and how it ends.
fn decoded(blob: &[u8], size: usize) -> (Vec<u8>, Result<(), Broken>) {
    let mut decoder = Decoder::new(Codec::Blob(Sealing::Open), None);
    let mut out = Vec::new();
    for piece in blob.chunks(size) {
        let pushed = decoder.push(piece, &mut |decoded| {
            out.extend_from_slice(decoded);
            Flow::Continue(())
        });
        if let Err(broken) = pushed {
            return (out, Err(broken));
        }
    }
    let end = decoder.end();
    (out, end)
}

#[test]
fn however_it_is_cut_it_decodes_to_the_same() {
    let data = data();
    let (head, tail) = data.split_at(1000);
    for blob in
        [blob(PLAIN, &data), blob(ZSTD, &zstd(&data)), blob(ZSTD, &[zstd(head), zstd(b""), zstd(tail)].concat())]
    {
        for size in [1, 7, 4096, 100_000, usize::MAX] {
            let (out, end) = decoded(&blob, size);
            assert!(out == data && end == Ok(()), "{size}: {end:?}");
        }
    }
}

#[test]
fn faults_are_the_same_however_it_is_cut() {
    let data = data();
    let good = zstd(&data);

    let mut broken = Vec::new();
    // The header, the frame's header and the first blocks byte by byte; the rest here and there.
    for at in (0..200).chain((200..good.len()).step_by(997)) {
        let mut body = good.clone();
        body[at] ^= 0x41;
        broken.push(blob(ZSTD, &body));
    }
    for length in (0..60).chain((60..good.len()).step_by(1999)) {
        broken.push(blob(ZSTD, &good[..length]));
    }
    broken.push(blob(ZSTD, &[&good[..], b"more"].concat()));
    let mut refused = 0;
    for (number, blob) in broken.iter().enumerate() {
        let (whole, end) = decoded(blob, usize::MAX);
        for size in [1, 1000, 140_028] {
            assert_eq!(decoded(blob, size).1, end, "{number} in pieces of {size}");
        }
        refused += usize::from(end.is_err());
        assert!(end.is_err() || whole != data || number < 200, "{number} passes for the whole");
    }
    // A flip inside of literals or noise gives other bytes, which the digest is for.
    assert!(refused > 100, "{refused} of {}", broken.len());
}

#[test]
fn any_flip_is_seen_by_the_checksum_at_the_latest() {
    let data = b"a chunk of little length, and some more of it".repeat(3);
    for good in [blob(PLAIN, &data), blob(ZSTD, &zstd(&data))] {
        for at in 0..good.len() {
            for bit in 0..8 {
                let mut bad = good.clone();
                bad[at] ^= 1 << bit;
                assert!(decoded(&bad, 5).1.is_err(), "bit {bit} of byte {at}");
            }
        }
        for length in 0..good.len() {
            assert!(decoded(&good[..length], 5).1.is_err(), "{length} bytes");
        }
    }
}

#[test]
fn a_frame_cannot_ask_for_memory_or_for_what_it_is_not_given() {
    let frame = |rest: &[u8]| blob(ZSTD, &[&[0x28, 0xb5, 0x2f, 0xfd][..], rest].concat());
    let single = |size: u64| frame(&[&[0xe0][..], &size.to_le_bytes(), &[1, 0, 0]].concat());
    for (what, bad) in [
        ("a window of 2 TiB", frame(&[0x00, 0xf8, 1, 0, 0])),
        ("a content of 2^64 - 1 bytes", single(u64::MAX)),
        ("a content of 16 MiB and one byte", single((16 << 20) + 1)),
        ("a dictionary", frame(&[0x21, 7, 0, 1, 0, 0])),
        ("a reserved bit", frame(&[0x28, 0, 1, 0, 0])),
        ("a block of a kind that there is not", frame(&[0x20, 0, 7, 0, 0])),
        ("a block of 2 MiB", frame(&[0x20, 0, 1, 0, 0xff])),
        ("a skippable frame", blob(ZSTD, &[0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0])),
    ] {
        assert!(decoded(&bad, 3).1.is_err(), "{what}");
    }
    // A megabyte out of four bytes, again and again: the reader stops when it has enough.
    let block = [0x02, 0x00, 0x10, 0x00];
    let bomb = frame(&[&[0x00, 0x40][..], &block.repeat(10_000)].concat());
    let mut decoder = Decoder::new(Codec::Blob(Sealing::Open), None);
    let mut seen = 0;
    let pushed = decoder.push(&bomb, &mut |decoded| {
        seen += decoded.len();
        if seen > 300_000 { Flow::Break(()) } else { Flow::Continue(()) }
    });
    assert!(pushed == Ok(Flow::Continue(())) && seen <= 600_000, "{pushed:?} {seen}");
    // What comes after is read for its checksum alone, and not for ever.
    assert!(decoder.push(&[0; 1000], &mut |_| panic!("it is handed on")).is_ok());
    assert_eq!(decoder.end().map_err(|broken| broken.at), Err(8));
    let mut decoder = Decoder::new(Codec::Blob(Sealing::Open), None);
    let endless = (0..200).find(|_| {
        let pushed = decoder.push(&blob(PLAIN, &vec![1; 1 << 20]), &mut |_| Flow::Break(()));
        pushed == Ok(Flow::Break(()))
    });
    assert!(endless.is_some_and(|mib| mib >= 127), "{endless:?}");
    assert_eq!(decoder.end(), Ok(()), "of what was not read, nothing is said");
}

#[test]
fn the_checksum_has_the_first_word() {
    let data = data();
    let good = blob(ZSTD, &zstd(&data));
    for at in (12..good.len()).step_by(499) {
        let mut bad = good.clone();
        bad[at] ^= 0x41;
        for size in [100, 140_028] {
            let end = decoded(&bad, size).1.expect_err("it is damaged");
            assert_eq!((end.at, end.what), (8, "its checksum is not that of its bytes"), "byte {at}");
        }
    }
}

#[test]
fn what_is_encrypted_is_not_taken_for_what_is_not() {
    let sealed = blob(ENCRYPTED, &[7; 60]);
    assert!(decoded(&sealed, 9).1.is_err());
    let mut decoder = Decoder::new(Codec::Blob(Sealing::Sealed), None);
    assert!(decoder.push(&blob(PLAIN, &[7; 60]), &mut |_| panic!("it is handed on")).is_err());
    // Its checksum begins behind vector and tag.
    let sealed = [&ENCRYPTED[..], &crc32fast::hash(&[9; 20]).to_le_bytes(), &[1; 32], &[9; 20]].concat();
    let mut decoder = Decoder::new(Codec::Blob(Sealing::Sealed), None);
    for byte in &sealed {
        assert!(decoder.push(&[*byte], &mut |_| panic!("it is handed on")).is_ok());
    }
    assert!(decoder.end().is_ok() && decoder.is_sealed());
}
