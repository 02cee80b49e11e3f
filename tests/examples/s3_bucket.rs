//! A bucket for benchmarks of mirrors, on loopback, in a process of its own: `--example s3_bucket`.
//!
//! Prints its address, then does what each line of its standard input says, and answers with a line: `publish DATE`
//! lists the bucket `archive`, `change` changes one key in a hundred, `flat KEYS` fills and lists the bucket `flat`,
//! one folder, `late MS` has each answer wait so long before its body, `load DATE FOLDER` takes what `--example lists`
//! made, `requests` says how many there were since it was last asked. Ends with its input.
#![expect(clippy::print_stdout, reason = "it answers")]

use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use highwater_core::digest::md5_of;
use highwater_tests::s3::{Fault, Recipe, Rule, Server, Shelves};

const KEYS: u64 = 20_000;
/// Keys a folder.
const WIDE: u64 = 64;
/// Keys that were there before versions were kept, and those that were uploaded in parts.
const NULLS: u64 = 5;
const PARTS: u64 = 3;
/// Keys with a third version.
const THIRD: u64 = 243;
/// The smallest part that S3 takes.
const PART: usize = 5 << 20;

/// A number that is scattered over 64 bits.
fn scatter(number: u64) -> u64 {
    let number = (number ^ number >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ number >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ number >> 31
}

/// Bytes of no pattern, a thousand on average.
fn body(seed: u64) -> Vec<u8> {
    let length = usize::try_from(scatter(seed) % 2_000).expect("small");
    (0_u64..).flat_map(|at| scatter(seed ^ at << 32).to_le_bytes()).take(length).collect()
}

fn key(number: u64) -> Vec<u8> {
    format!("zarr/{:04}/0/{:05}.{:04x}", number / WIDE, number, scatter(number) & 0xffff).into_bytes()
}

/// 41,243 rows, of which 40,243 have a body; 61 MB.
fn fill(shelves: &mut Shelves) {
    for number in 0..NULLS {
        shelves.put("archive", &key(number * 4_000 + 7), &body(number));
    }
    shelves.bucket("archive").versioned = true;
    for number in 0..KEYS {
        let key = key(number);
        let is_null = number % 4_000 == 7;
        let is_parts = number % 6_000 == 11 && number / 6_000 < PARTS;
        if !is_null {
            shelves.put("archive", &key, &body(number << 8 | 1));
        }
        if is_parts {
            let long: Vec<u8> = (0..PART as u64 / 6).flat_map(|at| scatter(at ^ number).to_le_bytes()).collect();
            shelves.put_parts("archive", &key, &long, PART);
        } else {
            shelves.put("archive", &key, &body(number << 8 | 2));
        }
        if number % 82 == 3 && number / 82 < THIRD {
            shelves.put("archive", &key, &body(number << 8 | 3));
        }
        if number % 20 == 19 {
            shelves.delete("archive", &key);
        }
    }
}

/// 120 keys are written anew, 40 deleted, 40 new.
fn change(shelves: &mut Shelves) {
    for number in 0..200 {
        let key = key(number * 100 + 1);
        match number % 5 {
            0 => drop(shelves.delete("archive", &key)),
            1 => drop(shelves.put("archive", &[&key[..], b".new"].concat(), &body(number << 16 | 4))),
            _ => drop(shelves.put("archive", &key, &body(number << 16 | 5))),
        }
    }
}

/// Lists that lie in a folder, with their manifest, as an inventory of its own.
fn load(shelves: &mut Shelves, date: &str, folder: &Path) {
    let manifest = fs::read(folder.join("manifest.json")).expect("a manifest");
    let read: serde_json::Value = serde_json::from_slice(&manifest).expect("a manifest");
    for file in read["files"].as_array().expect("files") {
        let name = format!("{}.csv.gz", file["MD5checksum"].as_str().expect("a sum"));
        let bytes = fs::read(folder.join(".highwater-mirror/lists").join(name)).expect("a list");
        shelves.put("inventories", file["key"].as_str().expect("a key").as_bytes(), &bytes);
    }
    let at = format!("large/{date}/manifest");
    shelves.put("inventories", format!("{at}.json").as_bytes(), &manifest);
    shelves.put("inventories", format!("{at}.checksum").as_bytes(), format!("{}\n", md5_of(&manifest)).as_bytes());
}

fn main() {
    let server = Server::start();
    server.be_quiet();
    server.shelves(fill);
    println!("{}", server.address());
    let mut before = 0;
    for line in io::stdin().lines().map_while(Result::ok) {
        let (word, rest) = line.split_once(' ').unwrap_or((&line, ""));
        match word {
            "publish" => {
                let date = String::leak(rest.to_owned());
                let published = Recipe { date, lists: 5, ..Recipe::default() }.publish(&server);
                println!("{} {}", published.url, published.rows.len());
            }
            "change" => {
                server.shelves(change);
                println!("changed");
            }
            "flat" => {
                let keys: u64 = rest.parse().expect("how many keys");
                server.shelves(|shelves| {
                    shelves.bucket("flat").versioned = true;
                    for number in 0..keys {
                        shelves.put("flat", format!("one/{number:06}").as_bytes(), &body(number << 8 | 6));
                    }
                });
                let recipe = Recipe { source: "flat", prefix: "of/flat/", ..Recipe::default() };
                println!("{}", recipe.publish(&server).url);
            }
            "load" => {
                let (date, folder) = rest.split_once(' ').expect("a date and a folder");
                server.shelves(|shelves| load(shelves, date, Path::new(folder)));
                println!("s3://inventories/large/");
            }
            "late" => {
                let pause = Duration::from_millis(rest.parse().expect("milliseconds"));
                server.plan(Rule::next(Fault::Slow(usize::MAX, pause)).times(u32::MAX));
                println!("late");
            }
            "requests" => {
                let now = server.requests();
                println!("{}", now - before);
                before = now;
            }
            _ => println!("unknown: {word}"),
        }
    }
}
