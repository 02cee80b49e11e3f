//! The lists of an inventory: all of their rows come, in order, whatever S3 writes; and what is fetched is proven.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use highwater::disk;
use highwater::error::{Class, Error};
use highwater::mirror::inventories::Inventories;
use highwater::mirror::lists::{Limits, Lists, Outcome, Unread};
use highwater::s3::Client;
use highwater::store::Locks;
use highwater::watch::Watch;
use highwater_tests::s3::inventory::COLUMNS;
use highwater_tests::s3::{Fault, Recipe, Rule, Server};

/// Keys that trouble whoever decodes or sorts them.
pub(crate) const KEYS: [&[u8]; 14] = [
    b"a",
    b"a b",
    b"a!",
    b"a%20b",
    b"a+b",
    b"a-x",
    b"a/b",
    b"a=b",
    b"line\nbreak",
    b"quote\"and,comma",
    b"zarr/0/0",
    b"zarr/0/1",
    "кириллица/ключ".as_bytes(),
    "\u{1f600}".as_bytes(),
];

type Rows = Vec<(Vec<u8>, String)>;

/// A server with a bucket, and the folder of a mirror.
pub(crate) struct Bench {
    pub(crate) server: Server,
    client: Client,
    folder: tempfile::TempDir,
}

impl Bench {
    /// Keys that trouble, each with versions and a mark.
    pub(crate) fn new() -> Self {
        let bench = Self::bare();
        bench.server.shelves(|shelves| {
            for key in KEYS {
                // One of before versions were kept.
                shelves.bucket("archive").versioned = false;
                shelves.put("archive", key, b"null");
                shelves.bucket("archive").versioned = true;
                shelves.put("archive", key, &[b"one of ", key].concat());
                shelves.put_parts("archive", key, &[7; 100], 40);
            }
            shelves.delete("archive", b"a+b");
        });
        bench
    }

    pub(crate) fn bare() -> Self {
        let (server, folder) = (Server::start(), tempfile::tempdir().expect("a scratch folder"));
        Self { client: server.client(), server, folder }
    }

    pub(crate) fn fetch<'a>(&self, recipe: &Recipe, watch: &'a Watch<'a>) -> Result<Lists<'a>, Error> {
        let url = format!("s3://{}/{}", recipe.destination, recipe.prefix);
        let inventory = Inventories::at(&url, &self.client)?.manifest(recipe.date)?;
        let disk = disk::open(self.folder.path(), Locks::Needed).expect("a folder");
        self.server.log();
        Lists::fetch(Arc::new(disk), &inventory, &self.client, 3, watch)
    }

    /// What lies in the folder of the lists.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.folder.path().join(".highwater-mirror/lists")).expect("a folder");
        let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
        files.sort();
        files
    }

    /// How many lists were asked for since the last look.
    fn asked(&self) -> usize {
        self.server.log().iter().filter(|asked| asked.target.contains("/data/")).count()
    }

    /// The inventory's rows come as they were published, of each key in any order, sorted first where they must be.
    #[track_caller]
    pub(crate) fn gives_all(&self, recipe: &Recipe, must_sort: bool) -> Unread {
        let published = recipe.publish(&self.server);
        let watch = Watch::silent();
        let mut lists = self.fetch(recipe, &watch).unwrap_or_else(|error| panic!("{error}"));
        let (mut rows, mut outcome) = read(&lists);
        assert_eq!(matches!(outcome, Outcome::Unsorted { .. }), must_sort, "{outcome:?}");
        if must_sort {
            lists.sort_within(&Limits { bytes: 1 << 20, open: 2 }).unwrap_or_else(|error| panic!("{error}"));
            (rows, outcome) = read(&lists);
        }
        assert!(rows.is_sorted_by_key(|(key, _)| key.clone()));
        let sorted = |mut rows: Rows| {
            rows.sort();
            rows
        };
        assert_eq!(sorted(rows), sorted(published.rows.clone()));
        let (done, total) = watch.progress();
        assert_eq!(done, total);
        match outcome {
            Outcome::Whole { rows, bad } if rows == published.rows.len() as u64 => bad,
            other => panic!("{other:?}"),
        }
    }
}

fn read(lists: &Lists<'_>) -> (Rows, Outcome) {
    let mut rows = Vec::new();
    let outcome = lists.rows(&mut |row| {
        rows.push((row.key.to_vec(), String::from_utf8(row.version.to_vec()).expect("text")));
        Ok(())
    });
    (rows, outcome.unwrap_or_else(|error| panic!("{error}")))
}

#[track_caller]
fn refused(result: Result<Lists<'_>, Error>, words: &[&str]) {
    let error = result.err().expect("a refusal");
    let text = error.to_string();
    assert!(error.class() == Class::Failed && words.iter().all(|word| text.contains(word)), "{text}");
}

#[test]
fn every_row_of_every_list_comes_in_the_order_of_decoded_keys() {
    for lists in [1, 2, 7, 43] {
        let bench = Bench::new();
        assert_eq!(bench.gives_all(&Recipe { lists, ..Recipe::default() }, false), Unread::default());
        // A manifest, its checksum and a dated folder are asked for elsewhere.
        assert!(bench.files().len() <= lists, "{:?}", bench.files());
    }
}

/// 13 versions in 5 lists, each of which begins with the same key.
#[test]
fn lists_that_begin_with_one_key_lose_no_row() {
    let bench = Bench::bare();
    bench.server.shelves(|shelves| {
        shelves.bucket("archive").versioned = true;
        for version in 0..13 {
            shelves.put("archive", b"same", &[version]);
        }
        shelves.put("archive", b"then", b"");
    });
    bench.gives_all(&Recipe { lists: 5, ..Recipe::default() }, false);
}

#[test]
fn rows_in_any_order_within_lists_and_across_them_are_sorted() {
    for seed in 0..3 {
        Bench::new().gives_all(&Recipe { lists: 4, shuffled: Some(seed), ..Recipe::default() }, true);
    }
    Bench::new().gives_all(&Recipe { shuffled: Some(3), ..Recipe::default() }, true);
}

#[test]
fn lists_that_overlap_are_sorted() {
    Bench::new().gives_all(&Recipe { lists: 3, dealt: true, ..Recipe::default() }, true);
}

#[test]
fn columns_come_in_any_order_and_new_ones_say_nothing() {
    let columns = "ETag, LifecycleExpirationDate, Size, IsDeleteMarker, Key, ObjectLockEventHoldStatus, \
                   LastModifiedDate, IsLatest, VersionId";
    Bench::new().gives_all(&Recipe { lists: 2, columns, ..Recipe::default() }, false);
}

#[test]
fn lists_of_the_latest_versions_alone_are_read() {
    let bench = Bench::new();
    // Of what has no versions, each row is of the version `null`.
    let published = Recipe { columns: "Bucket, Key, Size, LastModifiedDate, ETag", ..Recipe::default() };
    let keys: Vec<Vec<u8>> = published.publish(&bench.server).rows.into_iter().map(|(key, _)| key).collect();
    let watch = Watch::silent();
    let (rows, _) = read(&bench.fetch(&published, &watch).expect("lists"));
    assert_eq!(rows, keys.into_iter().map(|key| (key, "null".to_owned())).collect::<Rows>());
}

#[test]
fn what_a_row_says_arrives() {
    let bench = Bench::bare();
    bench.server.shelves(|shelves| {
        shelves.bucket("archive").versioned = true;
        shelves.put_parts("archive", b"k", &[7; 100], 40);
        shelves.delete("archive", b"k");
    });
    let recipe = Recipe { columns: COLUMNS, ..Recipe::default() };
    recipe.publish(&bench.server);
    let (watch, mut told) = (Watch::silent(), Vec::new());
    let outcome = bench.fetch(&recipe, &watch).expect("lists").rows(&mut |row| {
        let etag = String::from_utf8_lossy(row.etag).into_owned();
        told.push((row.latest, row.marker, row.size, etag.len(), row.multipart, row.modified.0));
        Ok(())
    });
    assert!(matches!(outcome, Ok(Outcome::Whole { rows: 2, .. })));
    let (mark, version) = ((true, true, 0, 0, None, 1_700_000_002), (false, false, 100, 34, Some(true), 1_700_000_001));
    assert_eq!(told, [mark, version]);
}

#[test]
fn a_row_first_in_a_list_that_is_invalid_is_passed_over_and_told_of() {
    for (shuffled, must_sort) in [(None, false), (Some(1), true)] {
        let line =
            "\"archive\",\"%zz\",\"v\",\"true\",\"false\",\"1\",\"2024-01-01T00:00:00Z\",\"e\",\"S\",\"false\",\"\"\n";
        let first = vec![(1, line), (2, "\"archive\"\n")];
        let bad = Bench::new().gives_all(&Recipe { lists: 3, first, shuffled, ..Recipe::default() }, must_sort);
        assert_eq!(bad.count, 2);
        let mut told = bad.told.clone();
        told.sort();
        let list = "s3://inventories/of/archive/daily/data/2024-11-06T01-00Z-000";
        assert!(told[0].starts_with(&format!("{list}1.csv.gz: row 1 of the list, at byte 0 of its text")), "{told:?}");
        assert!(told[1].starts_with(&format!("{list}2.csv.gz: row 1 of the list")), "{told:?}");
    }
}

#[test]
fn an_inventory_without_rows_is_one() {
    let bench = Bench::bare();
    bench.gives_all(&Recipe::default(), false);
    bench.gives_all(&Recipe { lists: 3, ..Recipe::default() }, false);
}

#[test]
fn a_list_with_another_md5_or_length_than_its_manifest_says_is_refused() {
    let watch = Watch::silent();
    for (sum, size, words) in [
        (Some("d41d8cd98f00b204e9800998ecf8427e"), None, "says d41d8cd98f00b204e9800998ecf8427e"),
        (None, Some(7), "its manifest says 7"),
    ] {
        let bench = Bench::new();
        let recipe = Recipe { lists: 3, lie: Some((1, sum, size)), ..Recipe::default() };
        let published = recipe.publish(&bench.server);
        refused(bench.fetch(&recipe, &watch), &[&published.lists[1], words, "older inventory"]);
        let names: Vec<String> = bench.files().iter().map(|file| file.to_string_lossy().into_owned()).collect();
        assert!(names.iter().all(|name| name.ends_with(".csv.gz") && !name.contains("d41d8cd9")), "{names:?}");
    }
}

#[test]
fn a_list_that_is_not_there_is_named() {
    let bench = Bench::new();
    let published = Recipe { lists: 3, ..Recipe::default() }.publish(&bench.server);
    bench.server.shelves(|shelves| shelves.remove("inventories", published.lists[2].as_bytes(), "null"));
    let watch = Watch::silent();
    refused(bench.fetch(&Recipe::default(), &watch), &[&published.lists[2], "no such object"]);
}

#[test]
fn a_bit_that_flips_on_the_way_is_fetched_again() {
    let (bench, watch) = (Bench::new(), Watch::silent());
    Recipe::default().publish(&bench.server);
    bench.server.plan(Rule::next(Fault::Flip(100)).to("/data/"));
    assert_eq!(read(&bench.fetch(&Recipe::default(), &watch).expect("lists")).0.len(), 43);
    assert_eq!(bench.asked(), 2);
}

#[test]
fn a_body_that_breaks_is_taken_up_again() {
    let (bench, watch) = (Bench::new(), Watch::silent());
    Recipe::default().publish(&bench.server);
    bench.server.plan(Rule::next(Fault::Cut(100)).to("/data/"));
    assert_eq!(read(&bench.fetch(&Recipe::default(), &watch).expect("lists")).0.len(), 43);
}

/// A run that is killed leaves whole lists, and a part of another.
#[test]
fn a_run_that_was_killed_is_gone_on_with() {
    let (bench, watch) = (Bench::new(), Watch::silent());
    let recipe = Recipe { lists: 5, ..Recipe::default() };
    recipe.publish(&bench.server);
    drop(bench.fetch(&recipe, &watch).expect("lists"));
    assert_eq!((bench.asked(), bench.files().len()), (5, 5));
    drop(bench.fetch(&recipe, &watch).expect("lists"));
    assert_eq!(bench.asked(), 0, "what is here is fetched again");
    let files = bench.files();
    fs::remove_file(&files[0]).expect("a list");
    // As long as it was, shorter, and a part that has no name yet.
    let mut rotten = fs::read(&files[1]).expect("a list");
    rotten[30] ^= 1;
    fs::write(&files[1], &rotten).expect("a list");
    fs::write(&files[2], &rotten[..9]).expect("a list");
    let part = files[0].with_file_name("0123.csv.gz.0123456789abcdef.highwater-tmp");
    fs::write(&part, b"a part").expect("a part");
    let lists = bench.fetch(&recipe, &watch).expect("lists");
    assert_eq!(bench.asked(), 3);
    assert_eq!(bench.files(), files);
    assert_eq!(read(&lists).0.len(), 43);
    // Those of another inventory go, and so do all in the end.
    Recipe { lists: 2, date: "2024-11-07T01-00Z", ..Recipe::default() }.publish(&bench.server);
    let other = bench.fetch(&Recipe { date: "2024-11-07T01-00Z", ..Recipe::default() }, &watch).expect("lists");
    assert!(bench.files().len() == 2 && bench.files().iter().all(|file| !files.contains(file)));
    other.remove().expect("removed");
    assert_eq!(bench.files(), [""; 0].map(PathBuf::from));
}

#[test]
fn a_wish_to_stop_ends_a_fetch_and_leaves_no_part() {
    let bench = Bench::new();
    Recipe { lists: 5, ..Recipe::default() }.publish(&bench.server);
    let stop: Arc<AtomicBool> = Arc::default();
    let watch = Watch::new(Arc::clone(&stop), |_| {});
    let wish = Arc::clone(&stop);
    bench.server.plan(Rule::next(Fault::None).to("/data/").then(move |_| wish.store(true, Ordering::Relaxed)));
    let ended = bench.fetch(&Recipe::default(), &watch);
    assert!(matches!(ended, Err(Error::Interrupted)), "{:?}", ended.err());
    assert!(bench.files().iter().all(|file| file.to_string_lossy().ends_with(".csv.gz")), "{:?}", bench.files());
}

#[test]
fn a_manifest_may_name_one_list_twice_and_lists_that_are_the_same() {
    let bench = Bench::bare();
    // Three lists without a row have the same bytes.
    bench.server.shelves(|shelves| drop(shelves.put("archive", b"k", b"1")));
    bench.gives_all(&Recipe { lists: 4, ..Recipe::default() }, false);
    assert_eq!(bench.files().len(), 2);
}
