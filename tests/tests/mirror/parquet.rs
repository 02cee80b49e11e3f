//! Lists in Parquet, written by the real pyarrow: they say what lists of text say, and what is none is noticed.

use std::fs;
use std::path::Path;

use highwater::mirror::lists::{Outcome, Unread};
use highwater::watch::Watch;
use highwater_core::digest::md5_of;
use highwater_core::formats::mirror::index::{TRAILER, Trailer};
use highwater_core::inventory::Schema;
use highwater_core::inventory::parquet::{Broken, Reader, Step};
use highwater_tests::run::Run;
use highwater_tests::s3::Recipe;
use serde_json::{Value, json};

use crate::lists::{Bench, KEYS};
use crate::scene::{Scene, tree};

/// A list in Parquet, written so.
fn recipe(how: Value) -> Recipe {
    Recipe { format: "Parquet", how, ..Recipe::default() }
}

/// Ways in which writers write: groups, pages, dictionaries, both kinds of pages, dates, checks.
fn ways() -> Vec<Value> {
    vec![
        json!({}),
        json!({"row_group_size": 5}),
        json!({"row_group_size": 20, "data_page_size": 1, "write_batch_size": 3}),
        json!({"use_dictionary": false}),
        json!({"use_dictionary": false, "data_page_size": 1, "write_batch_size": 1}),
        json!({"data_page_version": "2.0"}),
        json!({"data_page_version": "2.0", "use_dictionary": false, "row_group_size": 7}),
        json!({"data_page_version": "2.0", "data_page_size": 1, "write_batch_size": 4, "compression": "none"}),
        json!({"dictionary_pagesize_limit": 1, "data_page_size": 1, "write_batch_size": 2}),
        json!({"unit": "us", "version": "1.0"}),
        json!({"unit": "us"}),
        json!({"unit": "ns"}),
        json!({"unit": "ns", "use_deprecated_int96_timestamps": true}),
        json!({"write_page_checksum": true, "write_statistics": false}),
        json!({"write_page_index": true}),
    ]
}

/// All that its rows say, in order.
fn said(bench: &Bench, recipe: &Recipe) -> Vec<String> {
    recipe.publish(&bench.server);
    let watch = Watch::silent();
    let mut lists = bench.fetch(recipe, &watch).unwrap_or_else(|error| panic!("{error}"));
    let mut rows = Vec::new();
    lists.sort().unwrap_or_else(|error| panic!("{error}"));
    let outcome = lists.rows(&mut |row| {
        rows.push(format!("{row:?}"));
        Ok(())
    });
    let outcome = outcome.unwrap_or_else(|error| panic!("{error}"));
    assert!(matches!(outcome, Outcome::Whole { bad, .. } if bad == Unread::default()));
    rows
}

/// Nulls, marks, parts, keys with `%`, `+`, a space and letters of others: however a list is written.
#[test]
fn each_row_says_what_it_says_in_text() {
    let bench = Bench::new();
    let text = said(&bench, &Recipe::default());
    assert_eq!(text.len(), 43);
    for how in ways() {
        assert_eq!(said(&bench, &recipe(how.clone())), text, "{how}");
    }
}

/// What is not there is not asked for, and what is new says nothing.
#[test]
fn columns_come_in_any_order_and_new_ones_say_nothing() {
    let bench = Bench::new();
    for columns in [
        "ETag, LifecycleExpirationDate, Size, IsDeleteMarker, Key, ObjectOwner, LastModifiedDate, IsLatest, VersionId",
        "Bucket, Key, Size, LastModifiedDate, ETag",
    ] {
        let text = said(&bench, &Recipe { columns, ..Recipe::default() });
        assert_eq!(said(&bench, &Recipe { columns, ..recipe(json!({"row_group_size": 4})) }), text);
    }
}

#[test]
fn rows_come_in_the_order_of_keys_whatever_theirs_is() {
    let how = || json!({"row_group_size": 6});
    Bench::new().gives_all(&Recipe { lists: 7, ..recipe(how()) }, false);
    Bench::new().gives_all(&Recipe { lists: 4, shuffled: Some(1), ..recipe(how()) }, true);
    let bench = Bench::new();
    bench.gives_all(&Recipe { lists: 3, dealt: true, ..recipe(how()) }, true);
    assert!(bench.files().iter().all(|file| file.to_string_lossy().ends_with(".parquet")), "{:?}", bench.files());
    // Without a row, and with one.
    let bench = Bench::bare();
    bench.gives_all(&recipe(how()), false);
    bench.server.shelves(|shelves| drop(shelves.put("archive", "k".as_bytes(), b"1")));
    bench.gives_all(&Recipe { lists: 3, ..recipe(how()) }, false);
}

/// As many pages as a list of S3's has, each with its own part of the keys.
#[test]
fn a_long_list_is_read() {
    let bench = Bench::bare();
    bench.server.shelves(|shelves| {
        shelves.bucket("archive").versioned = true;
        for number in 0..20_000 {
            shelves.put("archive", format!("zarr/{:03}/{number}", number / 64).as_bytes(), b"");
        }
    });
    for how in [json!({"data_page_size": 4096}), json!({"use_dictionary": false, "row_group_size": 3000})] {
        bench.gives_all(&Recipe { lists: 2, ..recipe(how) }, false);
    }
}

#[test]
fn a_sync_gives_the_tree_and_the_index_that_one_from_text_gives() {
    let scene = Scene::new();
    for key in KEYS {
        let key = std::str::from_utf8(key).expect("text");
        scene.put(key, "older");
        scene.put(key, &format!("one of {key}"));
    }
    scene.delete("a+b");
    let table = Recipe { prefix: "table/", lists: 2, ..recipe(json!({"row_group_size": 5})) };
    let text = Recipe { prefix: "text/", lists: 2, ..Recipe::default() };
    let made = |recipe: &Recipe, name: &str| {
        let (url, folder) = (recipe.publish(&scene.server).url, scene.folder.path().join(name));
        fs::create_dir(&folder).expect("a folder");
        let run = scene.run(&["mirror", "sync", &url, folder.to_str().expect("text")]);
        assert_has_parquet(&run);
        assert_eq!(run.code, 0, "{run:?}");
        (tree(&folder), index(&folder))
    };
    let (tables, texts) = (made(&table, "one"), made(&text, "two"));
    assert!(tables.0 == texts.0 && tables.0.len() > KEYS.len());
    assert_eq!(tables.1, texts.1);
}

/// Cargo gives the command that feature when it builds all of the workspace.
#[track_caller]
fn assert_has_parquet(run: &Run) {
    assert!(
        !run.stderr.contains("built without"),
        "the command was built without Parquet: run tests/run, or `cargo build -p highwater`"
    );
}

/// The index of a mirror, byte by byte, but for its end, which has the MD5 of the manifest.
fn index(mirror: &Path) -> Vec<u8> {
    let mut entries = fs::read_dir(mirror.join(".highwater-mirror/index")).expect("indices");
    let path = entries.next().expect("an index").expect("an entry").path();
    assert!(entries.next().is_none(), "one index");
    let mut bytes = fs::read(path).expect("an index");
    let trailer = Trailer::parse(&bytes[bytes.len() - usize::try_from(TRAILER).expect("short")..]).expect("a trailer");
    bytes.truncate(usize::try_from(trailer.stretch(bytes.len() as u64).start).expect("a place"));
    assert!(bytes.len() > 100, "rows");
    bytes
}

/// Its MD5 is right, as whoever wrote it was wrong.
#[test]
fn a_list_that_is_none_ends_a_sync_before_anything_is_fetched() {
    let scene = Scene::new();
    scene.put("k", "1");
    let published = recipe(json!({})).publish(&scene.server);
    let key = published.lists[0].as_bytes();
    let good = scene.server.shelves(|shelves| shelves.bucket("inventories").keys[key][0].body.clone().expect("a list"));
    let mut flipped = good.to_vec();
    // The length of the footer.
    flipped[good.len() - 8] ^= 1;
    for bad in [&good[..good.len() - 1], &flipped] {
        let sum: &'static str = md5_of(bad).to_string().leak();
        let lie = Some((0, Some(sum), Some(bad.len() as u64)));
        Recipe { lie, ..recipe(json!({})) }.publish(&scene.server);
        scene.server.shelves(|shelves| drop(shelves.put("inventories", key, bad)));
        let run = scene.sync(&[]);
        assert_has_parquet(&run);
        assert!(run.code == 3 && run.stderr.contains("0000.parquet cannot be read at byte "), "{run:?}");
        assert!(scene.tree().is_empty());
    }
}

#[test]
fn what_is_not_read_is_refused_by_its_name() {
    let watch = Watch::silent();
    for (how, words) in [
        (json!({"compression": "gzip"}), "compressed with gzip, and S3 writes Snappy"),
        (json!({"compression": "zstd"}), "compressed with zstd"),
        (
            json!({"use_dictionary": false, "column_encoding": {"size": "DELTA_BINARY_PACKED"}}),
            "its column Size is written as DELTA_BINARY_PACKED, which is not read here",
        ),
        (
            json!({"use_dictionary": false, "column_encoding": {"key": "DELTA_BYTE_ARRAY"}}),
            "its column Key is written as DELTA_BYTE_ARRAY",
        ),
    ] {
        let (bench, recipe) = (Bench::new(), recipe(how));
        let published = recipe.publish(&bench.server);
        let lists = bench.fetch(&recipe, &watch).expect("lists");
        let error = lists.rows(&mut |_| Ok(())).expect_err("a refusal").to_string();
        let says = [&*published.lists[0], words, "at byte ", ".parquet'", "older inventory"];
        assert!(says.iter().all(|word| error.contains(word)), "{error}");
    }
}

/// Bytes of a list, its schema, and how many rows it has.
fn specimen(how: Value) -> (Vec<u8>, Schema, u64) {
    let bench = Bench::bare();
    bench.server.shelves(|shelves| {
        for key in ["a", "b%20c", "d"] {
            shelves.bucket("archive").versioned = false;
            shelves.put("archive", key.as_bytes(), b"");
            shelves.bucket("archive").versioned = true;
            shelves.put("archive", key.as_bytes(), b"newer");
            shelves.delete("archive", key.as_bytes());
        }
    });
    let published = recipe(how).publish(&bench.server);
    let list = bench.server.shelves(|shelves| {
        let versions = &shelves.bucket("inventories").keys[published.lists[0].as_bytes()];
        versions[0].body.clone().expect("a list")
    });
    let schema = "message s3.inventory { optional binary key; optional binary version_id; optional boolean is_latest; \
                  optional boolean is_delete_marker; optional int64 size; optional int64 last_modified_date; \
                  optional binary e_tag; optional boolean is_multipart_uploaded; }";
    (list.to_vec(), Schema::of_message(schema).expect("columns"), published.rows.len() as u64)
}

/// Reads a list; how many rows there are in it, good and bad. No more is asked for than the file has.
fn count(bytes: &[u8], schema: &Schema) -> Result<u64, Broken> {
    let (mut reader, mut rows) = (Reader::new(schema.clone(), bytes.len() as u64), 0);
    loop {
        match reader.step()? {
            Step::Read { at, length } => {
                let begin = usize::try_from(at).expect("a place");
                let end = begin.checked_add(usize::try_from(length).expect("a length")).expect("an end");
                reader.give(bytes.get(begin..end).expect("what is asked for is in the file"))?;
            }
            Step::Row(_) => rows += 1,
            Step::End => return Ok(rows),
        }
    }
}

/// Below the MD5 that a manifest has: a list that is cut is none, and one with a changed bit is none or has as many
/// rows.
#[test]
fn no_cut_and_no_bit_that_flips_loses_a_row() {
    for how in [
        json!({"row_group_size": 5}),
        json!({"use_dictionary": false, "data_page_size": 1, "write_batch_size": 2}),
        json!({"data_page_version": "2.0", "compression": "none"}),
        json!({"write_page_checksum": true, "unit": "ns", "use_deprecated_int96_timestamps": true}),
    ] {
        let (good, schema, rows) = specimen(how.clone());
        assert_eq!(count(&good, &schema), Ok(rows));
        for cut in 0..good.len() {
            assert!(count(&good[..cut], &schema).is_err(), "{how}: {cut} bytes");
        }
        let mut noticed = 0;
        for at in 0..good.len() {
            for bit in 0..8 {
                let mut bad = good.clone();
                bad[at] ^= 1 << bit;
                match count(&bad, &schema) {
                    Ok(found) => assert_eq!(found, rows, "{how}: bit {bit} of byte {at}"),
                    Err(_) => noticed += 1,
                }
            }
        }
        assert!(noticed > good.len(), "{how}: {noticed} of {} bits", 8 * good.len());
    }
}
