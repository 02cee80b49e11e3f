//! Times the digest kernels beside the crates `md-5` and `sha2`, by the thread's CPU time; prints JSON for
//! `tests/bench-hashing`.
//!
//! Each figure is the median of five rounds, in which all take turns, over 48 chunks of 4 MiB, or the same bytes as one
//! stream. What is switched off is left out of what the digests use, as `HIGHWATER_WITHOUT` does.
#![expect(clippy::print_stdout, reason = "a measurement prints what it measured")]

use std::collections::BTreeMap;

use highwater_core::digest::cpu::{Features, limit};
use highwater_core::digest::{Algorithm, Hasher, update_lanes};
use highwater_core::marks::{DISTANCE, Marker};
use rustix::time::{ClockId, clock_gettime};
use serde_json::json;

const CHUNK: usize = 4 << 20;
const CHUNKS: usize = 48;
const ROUNDS: usize = 5;

fn main() {
    let data: Vec<u8> =
        (0..(CHUNK * CHUNKS) as u64 / 8).flat_map(|i| (i * 0x9e37_79b9_7f4a_7c15).to_le_bytes()).collect();
    let all = Features::detected();
    let less = |words: &[&str]| words.iter().fold(all, |features, word| features.without(word).unwrap_or(features));
    let (md5, sha256) = (Algorithm::Md5, Algorithm::Sha256);
    type Job<'a> = (String, Box<dyn Fn() + 'a>);
    let mut jobs: Vec<Job<'_>> = vec![
        (
            "MD5, one stream, crate md-5".to_owned(),
            Box::new(|| _ = std::hint::black_box(<md5::Md5 as md5::Digest>::digest(&data))),
        ),
        (
            "SHA-256, one stream, crate sha2".to_owned(),
            Box::new(|| _ = std::hint::black_box(<sha2::Sha256 as sha2::Digest>::digest(&data))),
        ),
    ];
    for (label, features) in [
        ("all", all),
        ("without avx512", less(&["avx512"])),
        ("without avx2", less(&["avx2"])),
        ("without sha", less(&["sha"])),
        ("plain", less(&["avx2", "sha", "neon"])),
    ] {
        for (name, algorithm) in [("MD5", md5), ("SHA-256", sha256)] {
            let data = &data;
            let one = move || {
                limit(features);
                let mut hasher = Hasher::new(algorithm);
                hasher.update(data);
                std::hint::black_box(hasher.finish());
            };
            let lanes = move || {
                limit(features);
                let mut hashers: Vec<Hasher> = (0..CHUNKS).map(|_| Hasher::new(algorithm)).collect();
                update_lanes(hashers.iter_mut().zip(data.chunks(CHUNK)));
                hashers.into_iter().for_each(|hasher| _ = std::hint::black_box(hasher.finish()));
            };
            jobs.push((format!("{name}, one stream, {label}"), Box::new(one)));
            jobs.push((format!("{name}, {CHUNKS} chunks, {label}"), Box::new(lanes)));
        }
    }
    let data_of = &data;
    jobs.push((
        "MD5, one stream, all, with marks".to_owned(),
        Box::new(move || {
            limit(all);
            let mut marker = Marker::new(md5, DISTANCE);
            marker.update(data_of);
            std::hint::black_box(marker.hasher().clone().finish());
        }),
    ));
    let mut times: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for _ in 0..ROUNDS {
        for (name, job) in &jobs {
            let before = now();
            job();
            times.entry(name).or_default().push(now() - before);
        }
    }
    let median = |mut times: Vec<f64>| {
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    };
    let rates: BTreeMap<&str, f64> =
        times.into_iter().map(|(name, times)| (name, data.len() as f64 / median(times) / 1e9)).collect();
    println!("{:#}", json!({ "cpu": all.to_string(), "rates": rates }));
}

/// CPU time of this thread, in seconds.
fn now() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}
