//! A target for digests in lanes: many streams side by side give what each gives alone, with every set of instructions.

use std::sync::LazyLock;

use highwater_core::digest::cpu::{Features, limit};
use highwater_core::digest::md5::Md5;
use highwater_core::digest::sha256::Sha256;
use highwater_core::digest::{Algorithm, Digest, Hasher, lanes, update_lanes};
use md5::Digest as _;

use super::feed::{Feed, dice_of};
use crate::dice::Dice;

/// The most streams of an input: more than twice the lanes of the widest kernel.
const STREAMS: u8 = 70;

/// Those that have no lanes.
const SERIAL: [Algorithm; 4] = [Algorithm::Sha1, Algorithm::Xxh3, Algorithm::Crc32c, Algorithm::Etag { part: 100 }];

/// The most rounds in which streams get bytes.
const ROUNDS: u8 = 4;

/// The bytes that pieces are cut from.
const DATA: usize = 12 * 1024;

/// What may be taken away from the digests, as `HIGHWATER_WITHOUT` can.
const WITHOUT: [&[&str]; 6] = [&[], &["avx512"], &["avx2"], &["sha"], &["avx512", "sha"], &["avx2", "sha", "neon"]];

/// What this CPU has.
static ALL: LazyLock<Features> = LazyLock::new(Features::detected);

/// The digest by another program.
pub(crate) fn other(algorithm: Algorithm, bytes: &[u8]) -> Digest {
    match algorithm {
        Algorithm::Md5 => Digest::Md5(md5::Md5::digest(bytes).into()),
        Algorithm::Sha256 => Digest::Sha256(sha2::Sha256::digest(bytes).into()),
        Algorithm::Sha1 => Digest::Sha1(sha1::Sha1::digest(bytes).into()),
        // Bytes in one piece take another way through the crate than pieces do.
        Algorithm::Xxh3 => Digest::xxh3(xxhash_rust::xxh3::xxh3_128(bytes)),
        Algorithm::Crc32c => Digest::Crc32c(crc32c(bytes).to_be_bytes()),
        Algorithm::Etag { part } => etag(bytes, usize::try_from(part).expect("a part in memory")),
    }
}

/// Bit by bit, as the polynomial has it.
fn crc32c(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _| crc >> 1 ^ if crc & 1 == 1 { 0x82f6_3b78 } else { 0 };
    !bytes.iter().fold(!0, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), step))
}

/// As S3 writes it.
fn etag(bytes: &[u8], part: usize) -> Digest {
    let mut parts: Vec<[u8; 16]> = bytes.chunks(part).map(|bytes| md5::Md5::digest(bytes).into()).collect();
    if parts.is_empty() {
        parts.push(md5::Md5::digest(b"").into());
    }
    let sum = Digest::Md5(md5::Md5::digest(parts.as_flattened()).into());
    let text = format!("{sum}-{}", parts.len());
    Digest::from_hex(Algorithm::Etag { part: part as u64 }, text.as_bytes()).expect("an ETag")
}

/// Bytes that depend on the input alone.
fn data(dice: &mut Dice) -> Vec<u8> {
    (0..DATA / 8).flat_map(|_| dice.bits().to_le_bytes()).collect()
}

/// How long a piece is: from none over single blocks to a few KiB; chance decides what the input no longer says.
fn length(feed: &mut Feed<'_>, dice: &mut Dice) -> usize {
    let byte = if feed.is_empty() { dice.bits().to_le_bytes()[0] } else { feed.byte() };
    match byte {
        0..150 => usize::from(byte),
        150..200 => 64 * usize::from(byte - 150),
        200..250 => 64 * usize::from(byte - 200) + usize::from(byte) % 64,
        250.. => 1000 * usize::from(byte - 249),
    }
}

/// One stream: what it took, and the hasher that took it through the lanes.
struct Stream {
    algorithm: Algorithm,
    taken: Vec<u8>,
    hasher: Hasher,
}

impl Stream {
    fn new(algorithm: Algorithm) -> Self {
        Self { algorithm, taken: Vec::new(), hasher: Hasher::new(algorithm) }
    }

    /// A chaining value is there at the border of a block and nowhere else, of an algorithm that chains, and a hasher
    /// goes on from it.
    fn chains(&mut self) {
        let length = self.taken.len() as u64;
        let value = self.hasher.chaining();
        let is_there = self.algorithm.chains() && length.is_multiple_of(64);
        assert_eq!(value.is_some(), is_there, "a chaining value after {length} bytes");
        if let Some(value) = value {
            assert_eq!(Digest::new(self.algorithm, value.as_bytes()), Some(value));
            assert!(Hasher::resume(value, length + 1).is_none(), "no block ends after {} bytes", length + 1);
            self.hasher = Hasher::resume(value, length).expect("a block ends here");
            assert_eq!(self.hasher.chaining(), Some(value));
        }
    }
}

/// Streams of all algorithms that get odd pieces in several rounds: every digest is that of another program, and the
/// blocks of many states give what one state after another gives.
pub(crate) fn lanes(bytes: &[u8]) {
    let mut dice = dice_of(bytes);
    let data = data(&mut dice);
    let mut feed = Feed(bytes);
    let without = feed.pick(&WITHOUT);
    let features = without.iter().try_fold(*ALL, |features, word| features.without(word));
    limit(features.expect("words that are known"));
    let count = usize::from(feed.byte() % STREAMS);
    let rounds = 1 + feed.byte() % ROUNDS;
    let kinds = feed.byte();
    assert!(lanes::width(Algorithm::Md5) >= 1 && lanes::width(Algorithm::Sha256) >= 1);
    let algorithm = |number: usize| match kinds % 4 {
        _ if kinds & 0x10 != 0 && number % 5 == 1 => SERIAL[number / 5 % SERIAL.len()],
        0 => Algorithm::Md5,
        1 => Algorithm::Sha256,
        _ if (number * usize::from(kinds)).is_multiple_of(3) => Algorithm::Sha256,
        _ => Algorithm::Md5,
    };
    let mut streams: Vec<Stream> = (0..count).map(|number| Stream::new(algorithm(number))).collect();
    for round in 0..rounds {
        let mut work = Vec::new();
        for (number, stream) in streams.iter_mut().enumerate() {
            let length = length(&mut feed, &mut dice);
            // Odd places, so that vectors are read from addresses of any kind.
            let from = (number * 131 + usize::from(round) * 977) % (DATA - length);
            let piece = &data[from..from + length];
            stream.taken.extend_from_slice(piece);
            work.push((&mut stream.hasher, piece));
        }
        update_lanes(work);
        streams.iter_mut().filter(|_| kinds & 0x40 != 0).for_each(Stream::chains);
    }
    let (mut md5s, mut sha256s) = (Vec::new(), Vec::new());
    for (number, Stream { algorithm, taken, hasher }) in streams.into_iter().enumerate() {
        let wanted = other(algorithm, &taken);
        assert_eq!(hasher.clone().finish(), wanted, "stream {number} of {count}, {} bytes", taken.len());
        match hasher {
            Hasher::Md5(md5) => md5s.push((md5, wanted)),
            Hasher::Sha256(sha256) => sha256s.push((sha256, wanted)),
            Hasher::Serial(_) => {}
        }
    }
    let (hashers, wanted): (Vec<Md5>, Vec<Digest>) = md5s.into_iter().unzip();
    assert!(lanes::finish_md5(hashers).into_iter().map(Digest::Md5).eq(wanted), "all at once");
    let (hashers, wanted): (Vec<Sha256>, Vec<Digest>) = sha256s.into_iter().unzip();
    assert!(lanes::finish_sha256(hashers).into_iter().map(Digest::Sha256).eq(wanted), "all at once");
    blocks(&mut feed, &mut dice, &data, count);
    limit(*ALL);
}

/// Whole blocks for states of any kind, with one state or one piece too many.
fn blocks(feed: &mut Feed<'_>, dice: &mut Dice, data: &[u8], count: usize) {
    let all: &[[u8; 64]] = data[usize::from(feed.byte() % 64)..].as_chunks().0;
    let surplus = usize::from(feed.byte() % 3);
    let pieces: Vec<&[[u8; 64]]> = (0..count + surplus % 2)
        .map(|number| {
            let length = length(feed, dice) / 64;
            let from = number % (all.len() - length);
            &all[from..from + length]
        })
        .collect();
    let states = count + surplus / 2;
    let mut word = || u32::try_from(dice.bits() >> 32).expect("32 bits");
    let md5s: Vec<[u32; 4]> = (0..states).map(|_| [(); 4].map(|()| word())).collect();
    let sha256s: Vec<[u32; 8]> = (0..states).map(|_| [(); 8].map(|()| word())).collect();
    let (mut found, mut wanted) = (md5s.clone(), md5s);
    lanes::md5(&mut found, &pieces);
    for (state, blocks) in wanted.iter_mut().zip(&pieces) {
        let mut one = Md5::resume(*state, 0).expect("a border");
        one.update(blocks.as_flattened());
        *state = one.state().expect("a border");
    }
    assert!(found == wanted, "MD5 of {states} states and {} pieces", pieces.len());
    let (mut found, mut wanted) = (sha256s.clone(), sha256s);
    lanes::sha256(&mut found, &pieces);
    for (state, blocks) in wanted.iter_mut().zip(&pieces) {
        sha2::block_api::compress256(state, blocks);
    }
    assert!(found == wanted, "SHA-256 of {states} states and {} pieces", pieces.len());
}
