//! Targets for datastores: blobs, indices, manifests, key files, and whole stores with harm done to them.

use std::sync::OnceLock;

use highwater_core::codec::{Broken, Codec, Decoder, Flow, Packer, Sealing, encode_blob};
use highwater_core::digest::{Digest, sha256_of};
use highwater_core::formats::datastore::{Fixed, Old};
use highwater_core::key::{Key, KeyFile};
use highwater_core::render::json;
use highwater_core::report::Depth;

use super::{small_key, small_store};
use crate::fuzz::feed::{Feed, dice_of, pieces};
use crate::fuzz::reference;
use crate::memory::{Host, Order, Steps};
use crate::repo::Image;

fn decode(codec: Codec, key: &Key, pieces: &[&[u8]]) -> (Vec<u8>, Result<(), Broken>, bool) {
    let (mut decoder, mut out) = (Decoder::new(codec, Some(key)), Vec::new());
    for piece in pieces {
        let pushed = decoder.push(piece, &mut |decoded| {
            assert!(!decoded.is_empty(), "nothing is handed on as something");
            out.extend_from_slice(decoded);
            if out.len() > 1 << 20 { Flow::Break(()) } else { Flow::Continue(()) }
        });
        match pushed {
            Err(broken) => return (out, Err(broken), decoder.is_sealed()),
            Ok(Flow::Break(())) => return (out, Ok(()), decoder.is_sealed()),
            Ok(Flow::Continue(())) => {}
        }
    }
    let end = decoder.end();
    (out, end, decoder.is_sealed())
}

/// Makes the checksum of a blob right, so that damage reaches what lies behind it.
fn summed(mut blob: Vec<u8>) -> Vec<u8> {
    let header = if matches!(blob.first(), Some(0x7b | 0xe6)) { 44 } else { 12 };
    if let Some(body) = blob.get(header..) {
        let crc = reference::crc(body).to_le_bytes();
        blob[8..12].copy_from_slice(&crc);
    }
    blob
}

/// Any bytes as a blob, whatever is said of its encryption: any cut gives the same bytes and the same fault in the same
/// place.
pub(crate) fn blob(bytes: &[u8]) {
    let (kind, rest) = bytes.split_first().unwrap_or((&0, &[]));
    let stored = if kind & 1 == 1 { summed(rest.to_vec()) } else { rest.to_vec() };
    let sealing = match kind >> 1 & 3 {
        0 => Sealing::Open,
        1 => Sealing::Unsaid,
        2 => Sealing::Sealed,
        _ => Sealing::Keyed,
    };
    let whole = decode(Codec::Blob(sealing), &small_key(), &[&stored]);
    // Where it stops early depends on the pieces; nothing else does.
    if whole.0.len() <= 1 << 20 {
        assert_eq!(decode(Codec::Blob(sealing), &small_key(), &pieces(&stored)), whole);
    }
    if let Err(broken) = &whole.1 {
        assert!(broken.at <= stored.len() as u64, "{broken:?} in {} bytes", stored.len());
    }
}

/// Any data, encrypted or not: what was written comes back, by no other key, and any flipped bit is noticed.
pub(crate) fn seal(bytes: &[u8]) {
    let mut packer = Packer::new(1).expect("a level");
    let packed = packer.pack(bytes).expect("memory").to_vec();
    let Digest::Sha256(random) = sha256_of(bytes) else { unreachable!("it is SHA-256") };
    let iv = *random.first_chunk().expect("long enough");
    let mut dice = dice_of(bytes);
    for sealed in [false, true] {
        let (key, other) = (small_key(), Key::new([8; 32]));
        let stored = encode_blob(bytes, &packed, sealed.then_some((&key, iv)));
        let codec = Codec::Blob(if sealed { Sealing::Keyed } else { Sealing::Open });
        assert_eq!(decode(codec, &key, &pieces(&stored)), (bytes.to_vec(), Ok(()), false));
        assert!(!sealed || decode(codec, &other, &[&stored]).1.is_err(), "another key opens it");
        let mut flipped = stored.clone();
        let at = usize::try_from(dice.below(stored.len() as u64)).expect("a place");
        flipped[at] ^= 1 << dice.below(8);
        let found = decode(codec, &key, &[&flipped]);
        assert!(found.1.is_err(), "flipped at {at} of {}", stored.len());
        let found = decode(codec, &key, &[&stored[..at]]);
        assert!(found.1.is_err(), "cut at {at} of {}", stored.len());
    }
}

/// Any bytes as a fixed index: what is accepted is written again as it was, but for what nothing covers.
pub(crate) fn fidx(bytes: &[u8]) {
    // The header is long and mostly zeros: an input has what differs.
    let mut feed = Feed(bytes);
    let chunk = 1u64.checked_shl(u32::from(feed.byte() % 70)).unwrap_or(3);
    let size = feed.number();
    let digests = feed.0.as_chunks::<32>().0;
    let index = Fixed { size, chunk, digests: digests.iter().map(|digest| Digest::Sha256(*digest)).collect() };
    let mut file = index.encode([bytes.len() as u8; 16], -1);
    let fits =
        chunk.is_power_of_two() && chunk <= 16 << 20 && size > 0 && size.div_ceil(chunk.max(1)) == digests.len() as u64;
    assert_eq!(Fixed::read(&file).ok(), fits.then(|| index.clone()), "{index:?}");
    let mut dice = dice_of(bytes);
    for _ in 0..4 {
        let at = usize::try_from(dice.below(file.len() as u64)).expect("a place");
        file[at] ^= 1 << dice.below(8);
        let Ok(read) = Fixed::read(&file) else { continue };
        assert!(Fixed::read(&read.encode([0; 16], 0)).as_ref() == Ok(&read), "{read:?}");
    }
    assert!(Fixed::read(&file[..file.len() - 1 - bytes.len() % 31]).is_err());
}

/// Any text as a manifest, in a sound blob: what is understood is understood again once it is marked.
pub(crate) fn manifest(bytes: &[u8]) {
    const SNAPSHOT: &str = "vm/100/2025-06-16T15:06:40Z";
    let framed = |text: &[u8]| encode_blob(text, &vec![0; text.len() + 1], None);
    let Ok(old) = Old::read(&framed(bytes), SNAPSHOT) else { return };
    let indices = old.indices.clone();
    let marked = old.mark_failed(7);
    let again = Old::read(&framed(&marked), SNAPSHOT).expect("it is a manifest still");
    assert!(again.failed && again.indices == indices, "{again:?}");
    assert!(Old::read(&framed(bytes), "vm/101/2025-06-16T15:06:40Z").is_err(), "it is of another snapshot");
}

/// Any text as a key file. Those that take a passphrase are not opened here, as that takes a while on purpose.
pub(crate) fn keyfile(bytes: &[u8]) {
    if let Ok(file) = KeyFile::parse(bytes)
        && !file.is_locked()
        && let Ok(key) = file.open(b"")
    {
        assert!(key.signed(bytes, &key.sign(bytes)) && !key.signed(b"", &key.sign(b"x")));
    }
}

/// A store of two snapshots in a few hundred bytes, with harm done to it: any cut, order and shards give the same
/// report.
pub(crate) fn store(bytes: &[u8]) {
    static STORE: OnceLock<Image> = OnceLock::new();
    let mut image = STORE.get_or_init(small_store).clone();
    let names: Vec<String> = image.keys().cloned().collect();
    let mut feed = Feed(bytes);
    for _ in 0..40 {
        if feed.is_empty() {
            break;
        }
        let name = &names[usize::from(feed.byte()) % names.len()];
        let Some(file) = image.get_mut(name) else { continue };
        match feed.byte() % 8 {
            0 => _ = image.remove(name),
            1 => file.truncate(usize::from(feed.byte()) * file.len() / 256),
            2 => file.extend_from_slice(feed.block()),
            3 => *file = feed.block().to_vec(),
            4 => *file = summed(std::mem::take(file)),
            5 => {
                let other = names[usize::from(feed.byte()) % names.len()].clone();
                let content = image.get(&other).cloned().unwrap_or_default();
                image.insert(format!("{name}{}", ["", ".0.bad", ".tmp"][usize::from(feed.byte()) % 3]), content);
            }
            _ => {
                let at = (usize::from(feed.byte()) << 8 | usize::from(feed.byte())) % file.len().max(1);
                if let Some(byte) = file.get_mut(at) {
                    *byte = feed.byte();
                }
            }
        }
    }
    let dice = dice_of(bytes);
    let key = bytes.len().is_multiple_of(2).then(small_key);
    let host = Host { format: "datastore", key, ..Host::at(Depth::Digest) };
    let whole = host.report(&image, "s");
    let mut other = host.clone().cut(Steps::Random(dice.clone()));
    other.order = Order::Shuffled(dice);
    assert_eq!(json(&other.report(&image, "s")), json(&whole));
    let [one, two] = [1, 2].map(|number| host.clone().part(number, 2).report(&image, "s"));
    assert_eq!(json(&two.merge(one).into_whole()), json(&whole));
}

/// Inputs to start from.
pub(crate) mod seeds {
    use super::{encode_blob, small_key, small_store};

    pub(crate) static WORDS: &[&[u8]] = &[
        b"\x42\xab\x38\x07\xbe\x83\x70\xa1",
        b"\x31\xb9\x58\x42\x6f\xb6\xa3\x7f",
        b"\x7b\x67\x85\xbe\x22\x2d\x4c\xf0",
        b"\xe6\x59\x1b\xbf\x0b\xbf\xd8\x0b",
        b"\x28\xb5\x2f\xfd",
        b"\x00\x00\x01",
    ];
    pub(crate) static TEXT: &[&[u8]] = &[
        b"\"backup-type\":\"vm\",",
        b"\"backup-id\":\"100\",",
        b"\"backup-time\":1750086400,",
        b"\"files\":[]",
        b"\"signature\":null",
        b"\"unprotected\":{}",
        b"\"verify_state\":{\"state\":\"failed\"}",
        b"\"crypt-mode\":\"encrypt\"",
        b"\"kdf\":null",
        b"\"kdf\":{\"Scrypt\":{\"n\":65536,\"r\":8,\"p\":1,\"salt\":\"\"}}",
        b"\"data\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\"",
        b"{}",
        b"null",
    ];

    pub(crate) fn blob() -> Vec<Vec<u8>> {
        let data = b"words and words and words and words ".repeat(9);
        let packed = super::Packer::new(1).expect("a level").pack(&data).expect("memory").to_vec();
        let seal = Some((small_key(), [9; 16]));
        let mut seeds = Vec::new();
        for (flags, packed, sealed) in [
            (0, &packed, false),
            (1, &vec![0; 999], false),
            (7, &packed, true),
            (4, &packed, true),
            (3, &vec![0; 999], true),
        ] {
            let key = seal.as_ref().filter(|_| sealed).map(|(key, iv)| (key, *iv));
            seeds.push([&[flags], &encode_blob(&data, packed, key)[..]].concat());
        }
        seeds
    }

    pub(crate) fn seal() -> Vec<Vec<u8>> {
        vec![Vec::new(), b"x".to_vec(), vec![0; 5000], (0..=255).collect()]
    }

    pub(crate) fn fidx() -> Vec<Vec<u8>> {
        vec![
            vec![6, 64],
            [&[6, 100][..], &[1; 64]].concat(),
            [&[22, 254][..], &[2; 32]].concat(),
            [&[65, 9][..], &[2; 32]].concat(),
        ]
    }

    pub(crate) fn manifest() -> Vec<Vec<u8>> {
        let blob = &small_store()["vm/1/2025-06-16T15:06:40Z/index.json.blob"];
        let text = String::from_utf8(blob[12..].to_vec())
            .expect("text")
            .replace("\"backup-id\": \"1\"", "\"backup-id\": \"100\"");
        let odd = r#"{"backup-type":"vm","backup-id":"100","backup-time":1750086400,"files":[],"unprotected":7}"#;
        let short = odd.replace(",\"unprotected\":7", "");
        vec![text.into_bytes(), odd.into(), short.into(), b"{}".to_vec()]
    }

    pub(crate) fn keyfile() -> Vec<Vec<u8>> {
        let data = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
        let plain = format!(r#"{{"kdf":null,"data":"{data}"}}"#);
        let locked = format!(r#"{{"kdf":{{"PBKDF2":{{"iter":1,"salt":""}}}},"data":"{data}"}}"#);
        vec![plain.into_bytes(), locked.into_bytes()]
    }

    pub(crate) fn store() -> Vec<Vec<u8>> {
        vec![
            Vec::new(),
            vec![3, 0],
            vec![5, 6, 0, 40, 1],
            vec![14, 1, 100, 14, 4],
            vec![2, 5, 3, 1, 9, 5, 2, 0],
            vec![16, 6, 16, 5, 7, 16, 4],
        ]
    }
}
