//! Every bit of a small store flipped, and every file of it cut and grown to every length: none of it passes, and nobody else is blamed.

use std::sync::Mutex;
use std::thread;

use highwater_core::key::Key;
use highwater_core::report::{Depth, Report, Verdict};
use highwater_tests::fuzz::small_store;
use highwater_tests::memory::Host;
use highwater_tests::repo::Image;
use highwater_tests::score::Score;

fn verify(image: &Image) -> Report {
    let key = Some(Key::new([7; 32]));
    Host { format: "datastore", key, ..Host::at(Depth::Digest) }.report(image, "s")
}

/// Bytes that nothing covers: the random name and the time of an index.
fn is_uncovered(name: &str, at: usize) -> bool {
    name.ends_with(".fidx") && (8..32).contains(&at)
}

/// The snapshot that a file belongs to: the chunks of the two are not shared, and those of the second are encrypted.
fn owner<'a>(image: &Image, name: &'a str) -> &'a str {
    match name.rsplit_once('/') {
        Some((_, _)) if name.starts_with(".chunks/") => {
            let sealed = matches!(image[name].first(), Some(0x7b | 0xe6));
            if sealed { "ns/a/host/b/2025-06-16T15:06:40Z" } else { "vm/1/2025-06-16T15:06:40Z" }
        }
        Some((folder, _)) => folder,
        None => "",
    }
}

/// Judges one harm done to one file.
fn judge(image: &Image, name: &str, what: &str, bytes: Vec<u8>, harmless: bool) -> Result<(), String> {
    let mut harmed = image.clone();
    harmed.insert(name.to_owned(), bytes);
    let report = verify(&harmed);
    let damaged = report.sets.iter().filter(|set| set.verdict != Verdict::Sound).map(|set| set.name.as_str());
    let damaged: Vec<&str> = damaged.collect();
    let told = report.tallies.values().sum::<u64>() > 0;
    if harmless {
        return if report.verdict == Verdict::Sound && !told {
            Ok(())
        } else {
            Err(format!("{name} {what}: {report:?}"))
        };
    }
    // Reserved bytes are a warning: they hurt nobody.
    let is_right = damaged == [owner(image, name)] || (damaged.is_empty() && report.tallies.contains_key("odd-index"));
    if told && is_right { Ok(()) } else { Err(format!("{name} {what} hurts {damaged:?}: {:?}", report.findings)) }
}

/// Does `each` harm to the files, on all cores.
fn judge_all(line: &'static str, harms: impl Fn(&str, &[u8]) -> Vec<(String, Vec<u8>, bool)> + Sync) {
    let image = small_store();
    assert_eq!(verify(&image).verdict, Verdict::Sound);
    let score = Mutex::new(Score::new(line));
    // Nobody here asks whose a group is.
    let is_read = |name: &str| name != ".lock" && !name.ends_with("/owner");
    let files: Vec<(&String, &Vec<u8>)> = image.iter().filter(|(name, _)| is_read(name)).collect();
    thread::scope(|scope| {
        for part in 0..2 {
            let (files, harms, score, image) = (&files, &harms, &score, &image);
            scope.spawn(move || {
                for (name, bytes) in files.iter().skip(part).step_by(2) {
                    for (what, harmed, harmless) in harms(name, bytes) {
                        let judged = judge(image, name, &what, harmed, harmless);
                        let mut score = score.lock().expect("no thread panicked");
                        score.ran(1);
                        judged.err().into_iter().for_each(|why| score.fail(why));
                    }
                }
            });
        }
    });
    score.into_inner().expect("no thread panicked").end();
}

#[test]
fn every_flipped_byte_is_found_and_hurts_the_snapshot_it_belongs_to() {
    judge_all("datastore bytes flipped", |name, bytes| {
        let flip = |at: usize| {
            let mut harmed = bytes.to_vec();
            harmed[at] ^= 1 << (at % 8);
            (format!("flipped at {at}"), harmed, is_uncovered(name, at))
        };
        (0..bytes.len()).map(flip).collect()
    });
}

#[test]
fn every_other_length_is_found() {
    judge_all("datastore files cut or grown", |_, bytes| {
        // Of an index, mostly zeros, every seventh length.
        let step = if bytes.len() > 2000 { 7 } else { 1 };
        let cuts = (0..bytes.len()).step_by(step).map(|to| (format!("cut to {to}"), bytes[..to].to_vec(), false));
        let grown = [0u8, 0x28, 0xff].map(|byte| (format!("with {byte} behind it"), [bytes, &[byte]].concat(), false));
        cuts.chain(grown).collect()
    });
}
