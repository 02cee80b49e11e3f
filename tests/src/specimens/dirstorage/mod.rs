//! Stores of DirectoryStorage, composed from its byte tables: it runs on no Python of today.

mod compose;
mod fuzz;
mod hostile;
mod matrix;
mod redundant;
mod samples;

use highwater_core::formats::dirstorage::names::{File, Layout};
use highwater_core::formats::dirstorage::settings;
use highwater_core::report::{Depth, Report};

use super::{Case, Expect, Row, Sample, Specimen, harms, with};
use crate::dice::Dice;
use crate::fuzz::Target;
use crate::repo::Image;
use compose::{Policy, Store, Write, tid};

/// The format.
#[derive(Debug)]
pub struct DirStorage;

/// What [`DirStorage::small`] is called.
const SMALL: &str = "small";

/// A store in snapshot mode: its layout, its files, and the transaction that its database goes up to.
#[derive(Debug)]
pub struct Still {
    /// The word for the layout.
    pub layout: &'static str,
    /// All of its files.
    pub files: Image,
    /// The last transaction that is in the database.
    pub last: u64,
}

impl DirStorage {
    /// Stores in snapshot mode, one of each layout.
    pub fn still() -> Vec<Still> {
        let stores = samples::still().into_iter();
        stores.map(|(layout, store, last)| Still { layout, files: store.image(), last }).collect()
    }
}

impl Specimen for DirStorage {
    fn name(&self) -> &'static str {
        "dirstorage"
    }

    fn small(&self) -> Sample {
        sample(SMALL, &samples::small())
    }

    fn samples(&self) -> Vec<Sample> {
        vec![
            self.small(),
            sample("killed", &samples::killed()),
            sample("frozen", &samples::frozen()),
            sample("replica", &samples::replica()),
        ]
    }

    fn damages<'a>(&self, sample: &'a Sample) -> Box<dyn Iterator<Item = Case> + 'a> {
        let mut cases = vec![case("sound", sample.files.clone(), Some([true; 4]))];
        cases.extend(harmed(sample));
        if sample.name == SMALL {
            cases.extend(wholes().into_iter().map(|(name, files, sound)| case(name, files, Some(sound))));
        }
        Box::new(cases.into_iter())
    }

    fn matrix(&self) -> Vec<Row> {
        matrix::rows()
    }

    fn unseen(&self, name: &str, at: usize, before: &[u8], after: &[u8]) -> Option<&'static str> {
        redundant::unseen(name, at, before, after)
    }

    fn says_the_same(&self, name: &str, before: &[u8], after: &[u8]) -> bool {
        redundant::says_the_same(name, before, after)
    }

    fn hurts(&self, _: &Sample, name: &str, report: &Report) -> Result<(), String> {
        let told = report.tallies.values().sum::<u64>() > 0;
        if told { Ok(()) } else { Err(format!("a change of {name} goes unseen")) }
    }

    fn hostile(&self) -> Vec<super::hostile::Case> {
        hostile::cases()
    }

    fn targets(&self) -> Vec<Target> {
        fuzz::targets()
    }
}

fn sample(name: &'static str, store: &Store) -> Sample {
    Sample { name, files: store.image(), key: None, points: Vec::new() }
}

const DEPTHS: [Depth; 4] = [Depth::List, Depth::Size, Depth::Digest, Depth::Deep];

/// A case that is sound or not at each depth, or of which nothing is known.
fn case(name: impl Into<String>, files: Image, sound: Option<[bool; 4]>) -> Case {
    let expect = |(depth, sound)| (vec![depth], [true, true], Expect::Sound(sound));
    let expected = sound.into_iter().flat_map(|sound| DEPTHS.into_iter().zip(sound)).map(expect).collect();
    Case { name: name.into(), files, expected }
}

/// Every sort of damage to each file of a sample.
fn harmed(sample: &Sample) -> Vec<Case> {
    let (mut cases, mut dice) = (Vec::new(), Dice::new(20));
    for (name, bytes) in &sample.files {
        let at = usize::try_from(dice.below(bytes.len().max(1) as u64)).expect("a place");
        for (what, changed) in harms(name, bytes, bytes.len().saturating_sub(1), at) {
            let way = what.split(' ').next().unwrap_or_default();
            let sound = is_sound(sample.name, name, way, bytes, changed.as_deref());
            cases.push(case(what, with(&sample.files, name, changed), sound));
        }
    }
    cases
}

/// Whether a store is sound in which this became of a file, at each depth; none where that depends on more.
fn is_sound(sample: &str, name: &str, way: &str, before: &[u8], after: Option<&[u8]>) -> Option<[bool; 4]> {
    let layout = match sample {
        SMALL => Layout::Bushy,
        "killed" => Layout::Chunky,
        "frozen" => Layout::Lawn,
        _ => Layout::Flat,
    };
    let file = name.strip_prefix("A/").and_then(|path| layout.file(path.as_bytes()));
    match (name, file) {
        ("config/settings", _) => {
            Some([after.is_some_and(|after| settings::parse(after) == settings::parse(before)); 4])
        }
        ("config/identity", _) => Some([after.is_some(); 4]),
        // Without it, the database does not hold still.
        ("misc/snapshot", _) => (way != "gone").then_some([true; 4]),
        (_, None) => (sample != "killed" || name.contains("_temp/")).then_some([true; 4]),
        // A higher one may be right, and so may a later pack.
        (_, Some(File::Oid | File::Packed)) => (!matches!(way, "flipped" | "gone" | "doubled")).then_some([false; 4]),
        (_, Some(File::Serial | File::Current(_))) if sample == "killed" => None,
        // What was packed may be gone.
        (_, Some(File::Transaction(id))) if sample == "replica" && way == "gone" && id < tid(6) => None,
        (_, Some(File::Revision(..))) if way == "flipped" && before.len() > 72 => Some([true, true, false, false]),
        (_, Some(File::Revision(..))) if way == "longer" || way == "doubled" => Some([true, false, false, false]),
        // Where it is cut decides.
        (_, Some(File::Revision(..))) if way == "cut" => None,
        (_, Some(_)) => Some([false; 4]),
    }
}

/// Stores of which more than a file is not as it should be: what happened, and whether they are sound at each depth.
fn wholes() -> Vec<(&'static str, Image, [bool; 4])> {
    let (sound, damaged) = ([true; 4], [false; 4]);
    let small = samples::small();
    let without = |store: &Store, gone: &[File]| {
        let mut store = store.clone();
        gone.iter().for_each(|file| _ = store.database.remove(file));
        store.image()
    };
    let changed = |store: &Store, file: File, change: fn(&mut Vec<u8>)| {
        let mut store = store.clone();
        change(store.database.get_mut(&file).expect("a file of the store"));
        store.image()
    };
    let swapped = |one: File, other: File| {
        let mut store = small.clone();
        let (first, second) = (store.database[&one].clone(), store.database[&other].clone());
        store.database.extend([(one, second), (other, first)]);
        store.image()
    };
    let empty = Store::new(Policy { layout: Layout::Flat, sums: true, old: false });
    let mut later = small.clone();
    let sixth = later.begin(tid(6), &[(1, Write::Pickle(samples::PICKLES[0]))]);
    let mut beyond = small.clone();
    beyond.database.extend(sixth.iter().filter(|(file, _)| **file != File::Serial).map(|(f, b)| (*f, b.clone())));
    let mut orphan = small.clone();
    orphan.database.insert(File::Revision(1, tid(6)), sixth[&File::Revision(1, tid(6))].clone());
    let mut thawed = samples::frozen();
    thawed.others.remove("misc/snapshot");
    let mut broken = samples::frozen();
    broken.database.remove(&File::Transaction(tid(3)));
    let mut both = samples::replica();
    let eighth = both.begin(tid(8), &[(0, Write::Pickle(samples::PICKLES[0]))]);
    both.wait(&format!("working_{:016X}_done", tid(8)), eighth);
    let mut strange = small.clone();
    strange.others.insert("journal/notes.txt".to_owned(), b"x".to_vec());
    let mut lost = samples::killed();
    lost.others.retain(|name, _| !name.contains(&format!("{:016X}_done/o", tid(6))));
    let settings = |format, class| {
        let mut store = small.clone();
        store.others.insert("config/settings".to_owned(), compose::settings(format, class).into_bytes());
        store.image()
    };
    vec![
        ("a store without transactions", empty.image(), damaged),
        ("no sums", samples::unsummed().image(), [true, true, false, false]),
        (
            "an object is gone",
            without(&small, &[File::Current(2), File::Revision(2, tid(3)), File::Revision(2, tid(4))]),
            damaged,
        ),
        (
            "a transaction gone with what it did",
            without(&small, &[File::Revision(2, tid(4)), File::Transaction(tid(4))]),
            damaged,
        ),
        (
            "the last transaction is gone",
            without(&small, &[File::Revision(1, tid(5)), File::Transaction(tid(5))]),
            damaged,
        ),
        (
            "two transactions lead to one",
            changed(&small, File::Transaction(tid(4)), |b| b[24..32].copy_from_slice(&tid(2).to_be_bytes())),
            damaged,
        ),
        (
            "a transaction leads on",
            changed(&small, File::Transaction(tid(3)), |b| b[24..32].copy_from_slice(&tid(3).to_be_bytes())),
            damaged,
        ),
        (
            "an object says an older revision",
            changed(&small, File::Current(1), |b| b.copy_from_slice(&tid(3).to_be_bytes())),
            damaged,
        ),
        (
            "an undo of something later",
            changed(&small, File::Revision(1, tid(5)), |b| b[16..24].copy_from_slice(&tid(5).to_be_bytes())),
            damaged,
        ),
        (
            "an undo of something never written",
            changed(&small, File::Revision(1, tid(5)), |b| b[16..24].copy_from_slice(&tid(4).to_be_bytes())),
            damaged,
        ),
        ("an object above the highest", changed(&small, File::Oid, |bytes| bytes[7] = 1), damaged),
        ("two revisions swapped", swapped(File::Revision(1, tid(2)), File::Revision(1, tid(3))), damaged),
        ("a revision of another object", changed(&small, File::Revision(2, tid(4)), |bytes| bytes[15] = 7), damaged),
        ("two objects swapped", swapped(File::Revision(1, tid(3)), File::Revision(2, tid(3))), damaged),
        ("two transactions swapped", swapped(File::Transaction(tid(3)), File::Transaction(tid(4))), damaged),
        ("a later transaction", beyond.image(), damaged),
        ("a revision of no transaction", orphan.image(), damaged),
        ("killed while it moved transactions", samples::killed().image(), sound),
        ("killed while it left snapshot mode", thawed.image(), sound),
        ("frozen, and a transaction is gone", broken.image(), damaged),
        ("killed, and a revision is gone", lost.image(), damaged),
        ("an increment beside transactions", both.image(), damaged),
        ("a strange file in the journal", strange.image(), damaged),
        ("class Minimal", settings("bushy", "Minimal"), damaged),
        ("another layout", settings("chunky", "Full"), damaged),
        ("a layout of old", settings("bushy4", "Full"), damaged),
    ]
}
