//! Makes lists of an inventory, in order or shuffled, reads and sorts them as a sync does, and says what that took.
//!
//! Usage: lists FOLDER make ROWS LISTS [shuffled] | lists FOLDER read. The rows are like those of `dandiarchive`: some
//! 200 bytes each. Fails unless every row comes, in order.
#![expect(clippy::print_stdout, reason = "it prints the figures")]

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use flate2::Compression;
use flate2::write::GzEncoder;
use highwater::disk;
use highwater::mirror::inventories::Inventory;
use highwater::mirror::lists::{Lists, Outcome};
use highwater::s3::{Client, Settings};
use highwater::store::Locks;
use highwater::watch::Watch;
use highwater_core::digest::md5_of;
use highwater_core::inventory::Manifest;
use rustix::time::{ClockId, clock_gettime};
use serde_json::json;

const COLUMNS: &str = "Bucket, Key, VersionId, IsLatest, IsDeleteMarker, Size, LastModifiedDate, ETag, \
                       IsMultipartUploaded";

/// A number that is scattered over 64 bits.
fn scatter(number: u64) -> u64 {
    let number = (number ^ number >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ number >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ number >> 31
}

/// The row of this number, in order.
fn row(number: u64, out: &mut String) {
    let (one, two) = (scatter(number * 2), scatter(number * 2 + 1));
    let (store, chunk) = (number / 4096, number % 4096);
    let (x, y, z) = (100 + chunk / 256, 100 + chunk / 16 % 16, 100 + chunk % 16);
    let tail = scatter(store) & 0xffff_ffff_ffff;
    write!(out, "\"dandiarchive\",\"zarr/{store:08x}-5f6e-4a1b-8c2d-{tail:012x}/0/{x}/{y}/{z}\",\"").expect("text");
    for at in 0..32 {
        let from = if at < 16 { one } else { two };
        let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._";
        out.push(char::from(letters[usize::try_from(scatter(from ^ at) % 64).expect("small")]));
    }
    let (minute, second) = (one % 60, two % 60);
    // A disk that holds the plan has room for what it wants.
    let (size, day) = (one % 900 + 100, two % 28 + 1);
    writeln!(
        out,
        "\",\"true\",\"false\",\"{size}\",\"2022-04-{day:02}T21:{minute:02}:{second:02}.000Z\",\"{one:016x}{two:016x}\",\"false\""
    )
    .expect("text");
}

fn make(folder: &Path, rows: u64, lists: u64, shuffled: bool) {
    let inside = folder.join(".highwater-mirror/lists");
    fs::create_dir_all(&inside).expect("a folder");
    let mut files = Vec::new();
    for list in 0..lists {
        let work = inside.join("work");
        let mut gzip = GzEncoder::new(BufWriter::new(File::create(&work).expect("a file")), Compression::new(6));
        let mut text = String::new();
        for at in rows * list / lists..rows * (list + 1) / lists {
            // A prime that divides no number of rows that anybody asks for.
            let number = if shuffled { at * 2_654_435_761 % rows } else { at };
            row(number, &mut text);
            if text.len() > 1 << 20 {
                gzip.write_all(text.as_bytes()).expect("room");
                text.clear();
            }
        }
        gzip.write_all(text.as_bytes()).expect("room");
        gzip.finish().expect("room").flush().expect("room");
        let bytes = fs::read(&work).expect("a list");
        let md5 = md5_of(&bytes);
        fs::rename(&work, inside.join(format!("{md5}.csv.gz"))).expect("a name");
        files.push(json!({"key": format!("data/{list}.csv.gz"), "size": bytes.len(), "MD5checksum": md5.to_string()}));
    }
    let manifest = json!({
        "sourceBucket": "dandiarchive",
        "destinationBucket": "dandiarchive",
        "fileFormat": "CSV",
        "fileSchema": COLUMNS,
        "files": files,
    });
    fs::write(folder.join("manifest.json"), manifest.to_string()).expect("room");
}

fn cpu() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    f64::from(i32::try_from(time.tv_sec).expect("few")) + f64::from(i32::try_from(time.tv_nsec).expect("few")) / 1e9
}

/// The most memory that was held so far, in MiB.
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a peak");
    line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") / 1024
}

fn timed<T>(what: &str, deed: impl FnOnce() -> T) -> T {
    let (wall, before) = (Instant::now(), cpu());
    let done = deed();
    println!("{what}: {:.2} CPU s, {:.2} s, peak {} MiB", cpu() - before, wall.elapsed().as_secs_f64(), peak());
    done
}

fn rows(lists: &Lists<'_>) -> Option<u64> {
    let mut last = Vec::new();
    let outcome = lists.rows(&mut |row| {
        assert!(row.key > last.as_slice(), "not in order");
        last.clear();
        last.extend_from_slice(row.key);
        Ok(())
    });
    match outcome.expect("rows") {
        Outcome::Whole { rows, bad } if bad.count == 0 => Some(rows),
        Outcome::Whole { bad, .. } => panic!("{bad:?}"),
        Outcome::Unsorted { .. } => None,
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let number = |text: &str| text.parse::<u64>().expect("a number");
    match *words {
        [folder, "make", rows, lists] => return make(Path::new(folder), number(rows), number(lists), false),
        [folder, "make", rows, lists, "shuffled"] => {
            return make(Path::new(folder), number(rows), number(lists), true);
        }
        _ => {}
    }
    let [folder, "read"] = *words else { panic!("lists FOLDER make ROWS LISTS [shuffled] | lists FOLDER read") };
    let json = fs::read(Path::new(folder).join("manifest.json")).expect("a manifest");
    let manifest = Manifest::parse(&json).expect("a manifest");
    let schema = manifest.schema(false).expect("columns");
    let (bucket, date) = ("dandiarchive".to_owned(), "2024-11-06T01-00Z".to_owned());
    let inventory = Inventory { bucket, date, manifest, md5: md5_of(&json), schema };
    let (disk, watch) = (disk::open(Path::new(folder), Locks::Needed).expect("a folder"), Watch::silent());
    let client = Client::new(Settings::anonymous()).expect("a client");
    // All are here: nobody is asked.
    let mut lists = timed("prove", || Lists::fetch(Arc::new(disk), &inventory, &client, 2, &watch)).expect("all lists");
    match timed("read", || rows(&lists)) {
        Some(rows) => println!("{rows} rows in order"),
        None => {
            timed("sort", || lists.sort()).expect("room");
            let rows = timed("give", || rows(&lists)).expect("order");
            println!("{rows} rows sorted");
        }
    }
}
