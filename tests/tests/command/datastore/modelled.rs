//! Backups into a datastore of the model: what happens to the store and the source while one runs.

use highwater::backup::datastore::{Archive, Known, Made, SnapshotOptions, backup};
use highwater::disk::{Disk, Writable};
use highwater::error::Error;
use highwater::watch::{Event, Watch};
use highwater_core::digest::sha256_of;
use highwater_core::formats::datastore::Fixed;
use highwater_core::name::Name;
use highwater_tests::dice::Dice;
use highwater_tests::model::Model;

/// Into a store of the model.
fn job(model: &Model, now: i64) -> SnapshotOptions {
    SnapshotOptions {
        archives: vec![Archive::new(model.place("/model/source"), "disk.img").expect("a name")],
        group: "vm/1".to_owned(),
        chunk: 4096,
        key: None,
        known: Known::Size,
        append_only: false,
        owner: "root@pam".to_owned(),
        dry_run: false,
        now: Some(now),
    }
}

/// Backs up at a time.
fn back_up(model: &Model, now: i64, watch: &Watch<'_>) -> Result<Made, Error> {
    backup(&job(model, now), &model.root("/model/store"), watch)
}

/// The source, for its writer.
fn source_of(model: &Model) -> Box<dyn Writable> {
    let name = Name::new(b"source").expect("a name");
    model.root("/model").open_for_writing(&name).expect("the source")
}

/// The store, empty, and the source.
fn modelled() -> (Model, Vec<u8>) {
    let model = Model::default();
    model.put_folder("/model/store");
    model.put_folder("/model/store/.chunks");
    model.put("/model/store/.lock", b"");
    let source = Dice::new(8).bytes(50_000);
    model.put("/model/source", &source);
    (model, source)
}

/// The index of a snapshot of the model's.
fn index_of(model: &Model, time: &str) -> Fixed {
    let index = model.get(format!("/model/store/vm/1/{time}/disk.img.fidx")).expect("an index");
    Fixed::read(&index).expect("an index")
}

/// The index of a snapshot names the chunks of `source`, and the store has them.
fn holds(model: &Model, time: &str, source: &[u8], chunk: usize) {
    let index = index_of(model, time);
    assert_eq!(index.digests.len(), source.len().div_ceil(chunk));
    for (digest, chunk) in index.digests.iter().zip(source.chunks(chunk)) {
        assert_eq!(*digest, sha256_of(chunk));
        assert!(model.get(chunk_of(&digest.to_string())).is_some(), "{digest}");
    }
}

fn chunk_of(digest: &str) -> String {
    format!("/model/store/.chunks/{}/{digest}", &digest[..4])
}

#[test]
fn a_new_chunk_that_changes_before_its_bytes_are_taken_is_stored_as_it_is_then() {
    let (model, mut source) = modelled();
    back_up(&model, 1_000_000_000, &Watch::silent()).expect("a snapshot");
    let write = |bytes: &[u8]| {
        source_of(&model).write_at(12_288, bytes).expect("it is written");
    };
    write(&[1; 4096]);
    let noted = std::sync::atomic::AtomicUsize::new(0);
    let watch = Watch::new(std::sync::Arc::default(), |event| {
        if event == Event::Note("the chunk at byte 12288 is new") {
            noted.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            write(&[2; 4096]);
        }
    });
    let made = back_up(&model, 1_000_000_100, &watch).expect("a snapshot");
    assert_eq!((noted.load(std::sync::atomic::Ordering::Relaxed), made.chunks, made.known), (1, 13, 12));
    source[12_288..16_384].fill(2);
    holds(&model, "2001-09-09T01:48:20Z", &source, 4096);
}

#[test]
fn zeros_at_the_begin_in_the_middle_and_all_over_are_hashed_like_other_bytes() {
    const CHUNK: usize = 1 << 18;
    let (model, noise) = modelled();
    let mut source = vec![0; 5 * CHUNK + 100_000];
    for at in [CHUNK - 50_000, CHUNK, 2 * CHUNK - 50_000, 2 * CHUNK + 100_000, 3 * CHUNK + 65_536] {
        source[at..at + 50_000].copy_from_slice(&noise);
    }
    model.put("/model/source", &source);
    // The first time bytes are kept, the second time only hashed.
    for (now, time) in [(1_000_000_000, "2001-09-09T01:46:40Z"), (1_000_000_100, "2001-09-09T01:48:20Z")] {
        backup(
            &SnapshotOptions { chunk: CHUNK as u64, ..job(&model, now) },
            &model.root("/model/store"),
            &Watch::silent(),
        )
        .expect("a snapshot");
        holds(&model, time, &source, CHUNK);
    }
}

#[test]
fn a_chunk_of_the_second_source_that_vanishes_is_healed_from_that_one() {
    let (model, _) = modelled();
    let other = Dice::new(9).bytes(20_000);
    model.put("/model/other", &other);
    let mut job = job(&model, 1_000_000_000);
    job.archives.push(Archive::new(model.place("/model/other"), "second.img").expect("a name"));
    let chunk = chunk_of(&sha256_of(&other[8192..12_288]).to_string());
    let (there, gone) = (model.clone(), chunk.clone());
    let watch = Watch::new(std::sync::Arc::default(), move |event| {
        if matches!(event, Event::Note(note) if note.starts_with("looking whether 18 chunks")) {
            assert!(there.get(&gone).is_some(), "it was there");
            there.take_away(&gone);
        }
    });
    let made = backup(&job, &model.root("/model/store"), &watch).expect("a snapshot");
    assert_eq!((made.size, made.chunks, made.healed.len()), (70_000, 18, 1));
    assert!(model.get(&chunk).is_some());
}

#[test]
fn a_chunk_that_vanishes_between_registration_and_the_end_is_healed() {
    let (model, _) = modelled();
    let first = back_up(&model, 1_000_000_000, &Watch::silent()).expect("a snapshot");
    assert_eq!((first.chunks, first.known, first.healed.len()), (13, 0, 0));
    let digest = index_of(&model, "2001-09-09T01:46:40Z").digests[3].to_string();
    let chunk = chunk_of(&digest);
    let vanish = |times: usize, keep_source: bool| {
        let left = std::sync::atomic::AtomicUsize::new(times);
        let (there, other) = (model.clone(), chunk.clone());
        Watch::new(std::sync::Arc::default(), move |event| {
            let Event::Note(note) = event else { return };
            if !note.starts_with("looking whether") || left.load(std::sync::atomic::Ordering::Relaxed) == 0 {
                return;
            }
            left.fetch_sub(1, std::sync::atomic::Ordering::Relaxed);
            assert!(there.get(&other).is_some(), "it was there");
            there.take_away(&other);
            if !keep_source {
                source_of(&there).write_at(0, &[7; 50_000]).expect("it is written");
            }
        })
    };
    let second = back_up(&model, 1_000_000_100, &vanish(1, true)).expect("a snapshot");
    assert_eq!((second.known, second.healed), (13, vec![digest.clone()]));
    assert!(model.get(&chunk).is_some());
    // It vanishes again and again: something is wrong that a backup cannot mend.
    let error = back_up(&model, 1_000_000_200, &vanish(9, true)).expect_err("no snapshot").to_string();
    assert!(error.contains(&digest) && error.contains("No snapshot was made"), "{error}");
    back_up(&model, 1_000_000_300, &Watch::silent()).expect("a snapshot");
    // It vanishes, and the source is not what it was.
    let error = back_up(&model, 1_000_000_400, &vanish(1, false)).expect_err("no snapshot").to_string();
    assert!(error.contains(&digest) && error.contains("at byte 12288"), "{error}");
    for (second, is_there) in [("46:40", true), ("48:20", true), ("50:00", false), ("51:40", true), ("53:20", false)] {
        let manifest = model.get(format!("/model/store/vm/1/2001-09-09T01:{second}Z/index.json.blob"));
        assert_eq!(manifest.is_some(), is_there, "{second}");
    }
    assert!(
        !model.steps().iter().any(|step| step.verb == "remove folder" && step.path.ends_with("2001-09-09T01:46:40Z"))
    );
}
