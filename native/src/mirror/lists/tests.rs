//! Lists that lie here already: their order, what is wrong in them, and how they are sorted.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use highwater_core::digest::md5_of;
use highwater_core::formats::mirror::names;
use highwater_core::name::Name;

use super::*;
use crate::disk::{self, What};
use crate::store::Locks;

/// A folder with lists of (key, version).
struct Bench {
    folder: tempfile::TempDir,
    disk: Arc<dyn Disk>,
    lists: Vec<List>,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join(names::LISTS)).unwrap();
        let disk: Arc<dyn Disk> = Arc::new(disk::open(folder.path(), Locks::Needed).unwrap());
        Self { folder, disk, lists: Vec::new() }
    }

    /// Adds a list with this text.
    fn text(&mut self, text: &str) {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        gzip.write_all(text.as_bytes()).unwrap();
        self.list(&gzip.finish().unwrap());
    }

    fn list(&mut self, bytes: &[u8]) {
        let (number, md5) = (self.lists.len(), md5_of(bytes));
        let name = Name::new(format!("{}/{number}", names::LISTS).as_bytes()).unwrap();
        std::fs::write(self.folder.path().join(name.to_string()), bytes).unwrap();
        let (bucket, key) = ("inventories".to_owned(), format!("data/{number}.csv.gz"));
        self.lists.push(List { bucket, key, name, size: bytes.len() as u64, md5 });
    }

    fn rows(&mut self, keys: &[&str]) {
        let number = self.lists.len();
        let row =
            |(at, key): (usize, &&str)| format!("\"b\",\"{key}\",\"1\",\"2024-01-01T00:00:00Z\",\"{number}.{at}\"\n");
        self.text(&keys.iter().enumerate().map(row).collect::<String>());
    }

    fn lists<'a>(&self, watch: &'a Watch<'a>) -> Lists<'a> {
        let schema = Schema::parse("Bucket, Key, Size, LastModifiedDate, ETag").unwrap();
        Lists { disk: Arc::clone(&self.disk), watch, schema, lists: self.lists.clone(), sorted: None }
    }

    /// What lies in the folder of the lists beside them.
    fn beside(&self) -> usize {
        std::fs::read_dir(self.folder.path().join(names::LISTS)).unwrap().count() - self.lists.len()
    }
}

/// Keys and ETags as they come, and how it ended.
fn read(lists: &Lists<'_>) -> (Vec<(String, String)>, Result<Outcome, Error>) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let mut found = Vec::new();
    let outcome = lists.rows(&mut |row| {
        found.push((text(row.key), text(row.etag)));
        Ok(())
    });
    (found, outcome)
}

fn whole(lists: &Lists<'_>) -> (Vec<(String, String)>, Unread) {
    match read(lists) {
        (found, Ok(Outcome::Whole { rows, bad })) if rows == found.len() as u64 => (found, bad),
        (_, other) => panic!("{other:?}"),
    }
}

fn unsorted(lists: &Lists<'_>) -> String {
    match read(lists).1 {
        Ok(Outcome::Unsorted { why }) => why,
        other => panic!("{other:?}"),
    }
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(key, etag)| ((*key).to_owned(), (*etag).to_owned())).collect()
}

#[test]
fn lists_come_in_the_order_of_their_first_keys() {
    let (mut bench, watch) = (Bench::new(), Watch::silent());
    bench.rows(&["m", "z"]);
    bench.rows(&[]);
    bench.rows(&["a", "b", "b"]);
    let (found, bad) = whole(&bench.lists(&watch));
    assert_eq!(found, pairs(&[("a", "2.0"), ("b", "2.1"), ("b", "2.2"), ("m", "0.0"), ("z", "0.1")]));
    assert_eq!(bad, Unread::default());
    let (done, total) = watch.progress();
    assert!(done == total && total == bench.lists.iter().map(|list| list.size).sum::<u64>());
}

/// Each of them begins with one key, which spans lists; no row is lost, and nothing need be sorted.
#[test]
fn lists_that_begin_with_one_key_are_all_read() {
    let (mut bench, watch) = (Bench::new(), Watch::silent());
    bench.rows(&["k", "k", "z"]);
    bench.rows(&["k"]);
    bench.rows(&["a", "k"]);
    bench.rows(&["k", "k"]);
    let (found, _) = whole(&bench.lists(&watch));
    let order = ["2.0", "2.1", "1.0", "3.0", "3.1", "0.0", "0.1", "0.2"];
    assert_eq!(found.iter().map(|(_, etag)| &**etag).collect::<Vec<_>>(), order);
}

#[test]
fn order_is_that_of_decoded_keys() {
    let (mut bench, watch) = (Bench::new(), Watch::silent());
    // A space, `!`, `+`, `0`, and Cyrillic letters; as text, `%` and `+` would come otherwise.
    bench.rows(&["a+b", "a%21", "a%2B", "a0", "%D0%B0", "%D1%8F"]);
    let (found, _) = whole(&bench.lists(&watch));
    assert_eq!(found.iter().map(|(key, _)| &**key).collect::<Vec<_>>(), ["a b", "a!", "a+", "a0", "а", "я"]);
    let mut bench = Bench::new();
    // In order as text, and not in order.
    bench.rows(&["a%2B", "a+b"]);
    let why = unsorted(&bench.lists(&watch));
    assert_eq!(why, "s3://inventories/data/0.csv.gz: the key 'a b' comes behind a greater one");
}

#[test]
fn the_first_inversion_and_the_first_overlap_end_it() {
    let watch = Watch::silent();
    for lists in [&[&["a", "c", "b"][..]][..], &[&["a", "m"], &["l", "z"]], &[&["a", "z"], &["b", "c"]]] {
        let mut bench = Bench::new();
        lists.iter().for_each(|keys| bench.rows(keys));
        let mut lists = bench.lists(&watch);
        assert!(unsorted(&lists).contains("comes behind a greater one"));
        lists.sort().unwrap();
        let (found, _) = whole(&lists);
        assert!(found.is_sorted_by_key(|(key, _)| key.clone()) && found.len() > 2, "{found:?}");
        let (done, total) = watch.progress();
        assert_eq!(done, total);
    }
}

#[test]
fn rows_that_cannot_be_read_are_counted_and_told_of() {
    let (mut bench, watch) = (Bench::new(), Watch::silent());
    let good = |key: &str| format!("b,{key},1,2024-01-01T00:00:00Z,e\n");
    // The first row of a list, one in the middle, and a list without a good one.
    bench.text(&format!("b,%zz,1,2024-01-01T00:00:00Z,e\n{}", good("m")));
    bench.text(&format!("{}b,b,many,2024-01-01T00:00:00Z,e\n{}", good("a"), good("c")));
    bench.text(&"nothing\n".repeat(150));
    let mut lists = bench.lists(&watch);
    let (found, bad) = whole(&lists);
    assert_eq!(found, pairs(&[("a", "e"), ("c", "e"), ("m", "e")]));
    assert_eq!((bad.count, bad.told.len()), (152, TOLD));
    assert!(bad.told[0].starts_with("s3://inventories/data/2.csv.gz: row 1 of the list, at byte 0 of its text"));
    lists.sort().unwrap();
    assert_eq!(whole(&lists), (found, bad));
    let mut bench = Bench::new();
    bench.text(&format!("{}b,b,many,2024-01-01T00:00:00Z,e\n", good("a")));
    let (_, bad) = whole(&bench.lists(&watch));
    assert_eq!(
        bad.told,
        ["s3://inventories/data/0.csv.gz: row 2 of the list, at byte 29 of its text, cannot be read: its Size is no \
          number of bytes"]
    );
}

#[test]
fn what_is_no_list_is_an_error_that_says_where() {
    let watch = Watch::silent();
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(b"b,k,1,2024-01-01T00:00:00Z,e\n").unwrap();
    let good = gzip.finish().unwrap();
    let cut = &good[..good.len() - 1];
    for (bytes, what) in [
        (&b""[..], "at byte 0 of '"),
        (b"b,k,1,2024-01-01T00:00:00Z,e\n", "does not begin with gzip's magic number"),
        (cut, "ends in the middle"),
    ] {
        let mut bench = Bench::new();
        bench.list(bytes);
        let error = read(&bench.lists(&watch)).1.unwrap_err().to_string();
        assert!(
            error.contains(what) && error.contains("data/0.csv.gz") && error.contains("older inventory"),
            "{error}"
        );
    }
}

/// Against a sort in memory, over several runs and several levels of merges; rows of one key stay as they come.
#[test]
fn what_is_sorted_outside_memory_is_what_a_stable_sort_gives() {
    let (mut bench, watch) = (Bench::new(), Watch::silent());
    let mut state = 7_u64;
    let mut dice = |sides: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % sides
    };
    let mut all = Vec::new();
    for list in 0..4 {
        let mut text = String::new();
        for row in 0..12_000 {
            let key = format!("zarr/{}/{}", dice(3), ["", "x", "x-y", "x/y"][usize::try_from(dice(4)).unwrap()])
                + &"k".repeat(usize::try_from(dice(30)).unwrap());
            text.push_str(&format!("b,{key},1,2024-01-01T00:00:00Z,{list}.{row}\n"));
        }
        bench.text(&text);
    }
    let mut lists = bench.lists(&watch);
    // The order in which the lists are read is that of their first keys.
    for list in lists.in_order().unwrap() {
        _ = list
            .read(&*bench.disk, &lists.schema, Piece::WHOLE, &mut |_, row| {
                let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
                all.extend(row.map(|row| row.unwrap()).map(|row| (text(row.key), text(row.etag))));
                Ok(Flow::Continue(()))
            })
            .unwrap();
    }
    all.sort_by(|(one, _), (other, _)| one.cmp(other));
    for (open, most) in [(64, 64), (3, 3), (2, 2)] {
        lists.sort_within(&Limits { bytes: 1 << 20, open }).unwrap();
        let runs = lists.sorted.as_ref().unwrap().runs();
        assert!((2..=most).contains(&runs), "{runs} runs");
        assert!(whole(&lists).0 == all);
        // They can be given more than once.
        assert!(whole(&lists).0 == all);
        assert_eq!(bench.beside(), 1, "the work folder of the sort before is gone");
    }
    drop(lists);
    assert_eq!(bench.beside(), 0);
}

#[test]
fn every_field_of_a_row_lives_through_a_sort() {
    let (mut bench, watch) = (Bench::new(), Watch::silent());
    let lines = "z,3HL4kqtJvjVBH40Nrjfkd,true,false,7,2024-01-01T00:00:00.5Z,fbebe2d44529d0a25247e8b5bca5956b-3,true,SSE-KMS,GLACIER\n\
                 a,,false,true,,1960-01-01T00:00:00Z,,,,\n";
    bench.text(lines);
    let mut lists = bench.lists(&watch);
    lists.schema = Schema::parse(
        "Key, VersionId, IsLatest, IsDeleteMarker, Size, LastModifiedDate, ETag, IsMultipartUploaded, \
         EncryptionStatus, StorageClass",
    )
    .unwrap();
    let told = |lists: &Lists<'_>| {
        let mut told = Vec::new();
        let outcome = lists.rows(&mut |row| {
            told.push(format!("{row:?}"));
            Ok(())
        });
        (told, outcome.unwrap())
    };
    let mut direct = Vec::new();
    _ = lists.lists[0]
        .read(&*bench.disk, &lists.schema, Piece::WHOLE, &mut |_, row| {
            direct.extend(row.map(|row| format!("{:?}", row.unwrap())));
            Ok(Flow::Continue(()))
        })
        .unwrap();
    direct.reverse();
    lists.sort().unwrap();
    assert_eq!(told(&lists).0, direct);
}

/// Every byte of a run, changed: never other rows than those that were written, and a sentence.
#[test]
fn a_run_that_rots_is_noticed() {
    let (mut bench, watch) = (Bench::new(), Watch::silent());
    bench.rows(&["b", "a", "abc"]);
    let mut lists = bench.lists(&watch);
    lists.sort().unwrap();
    let mut run = None;
    for entry in std::fs::read_dir(bench.folder.path().join(names::LISTS)).unwrap() {
        let path = entry.unwrap().path().join("runs/00000001");
        run = run.or(path.is_file().then_some(path));
    }
    let run = run.unwrap();
    let good = std::fs::read(&run).unwrap();
    for at in 0..good.len() {
        let mut bad = good.clone();
        bad[at] ^= 1;
        std::fs::write(&run, &bad).unwrap();
        let error = read(&lists).1.unwrap_err().to_string();
        assert!(error.contains("00000001'") && error.contains("byte 0"), "byte {at}: {error}");
    }
    for cut in 0..good.len() {
        std::fs::write(&run, &good[..cut]).unwrap();
        assert!(read(&lists).1.is_err(), "{cut} bytes");
    }
    std::fs::write(&run, &good).unwrap();
    assert_eq!(whole(&lists).0.len(), 3);
}

#[test]
fn a_wish_to_stop_ends_reading_and_sorting_and_leaves_nothing() {
    let mut bench = Bench::new();
    bench.rows(&["b", "a"]);
    let stop: Arc<std::sync::atomic::AtomicBool> = Arc::default();
    let watch = Watch::new(Arc::clone(&stop), |_| {});
    let mut lists = bench.lists(&watch);
    lists.sort().unwrap();
    stop.store(true, std::sync::atomic::Ordering::Relaxed);
    assert!(matches!(read(&lists).1, Err(Error::Interrupted)));
    lists.sorted = None;
    assert!(matches!(read(&lists).1, Err(Error::Interrupted)));
    assert!(matches!(lists.sort(), Err(Error::Interrupted)));
    assert_eq!(bench.beside(), 0);
}

#[test]
fn an_error_of_whoever_takes_the_rows_ends_it() {
    let (mut bench, watch) = (Bench::new(), Watch::silent());
    bench.rows(&["b", "a"]);
    let mut lists = bench.lists(&watch);
    for _ in 0..2 {
        let mut taken = 0;
        let ended = lists.rows(&mut |_| {
            taken += 1;
            Err(Error::failed("full"))
        });
        assert!(ended.unwrap_err().to_string() == "full" && taken == 1);
        lists.sort().unwrap();
    }
    let look = bench.disk.look(Some(&Name::new(names::LISTS.as_bytes()).unwrap())).unwrap();
    assert!(look.is_some_and(|look| look.what == What::Folder));
}
