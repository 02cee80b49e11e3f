//! Stores of RocksDB and LevelDB, as the engines left them: `tests/fixtures/rocksdb.py` made them.

mod compose;
mod fuzz;
mod hostile;
mod matrix;
mod redundant;

use std::fs;
use std::path::Path;

use highwater_core::formats::rocksdb::Engine;
use highwater_core::report::{Depth, Report};

use super::{Case, Expect, Row, Sample, Specimen, harms, with};
use crate::dice::Dice;
use crate::fuzz::Target;
use crate::repo::Image;

/// The format of one engine.
#[derive(Debug)]
pub struct Stores(Engine);

impl Stores {
    /// RocksDB's.
    pub const ROCKSDB: Self = Self(Engine::RocksDb);

    /// LevelDB's.
    pub const LEVELDB: Self = Self(Engine::LevelDb);

    fn fixture(&self) -> &'static str {
        match self.0 {
            Engine::RocksDb => "rocksdb",
            Engine::LevelDb => "leveldb",
        }
    }
}

/// A table of the family that was dropped in the store of all forms: no edit names it any more.
const DROPPED: &str = "000022.sst";

/// The log that the MANIFEST of the LevelDB names. RocksDB names none.
const NAMED: &str = "000006.log";

/// The files of a store that lies beside the tests.
fn read(name: &str) -> Image {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name);
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let file = |entry: fs::DirEntry| {
        let name = entry.file_name().into_string().expect("a name that is text");
        (name, fs::read(entry.path()).expect("a file of the store"))
    };
    entries.map(|entry| file(entry.expect("an entry"))).collect()
}

/// Bytes that the tests may flip one by one: RocksDB opens a store without its OPTIONS, which are longer than all else.
fn small(name: &str) -> Image {
    let mut files = read(name);
    files.retain(|name, _| !name.starts_with("OPTIONS"));
    files
}

fn sample(name: &'static str, files: Image) -> Sample {
    Sample { name, files, key: None, points: Vec::new() }
}

impl Specimen for Stores {
    fn name(&self) -> &'static str {
        self.fixture()
    }

    fn small(&self) -> Sample {
        sample(self.fixture(), small(self.fixture()))
    }

    fn samples(&self) -> Vec<Sample> {
        match self.0 {
            Engine::RocksDb => vec![self.small(), sample("rocksdb of all forms", read("rocksdb-forms"))],
            Engine::LevelDb => vec![self.small()],
        }
    }

    fn damages<'a>(&self, sample: &'a Sample) -> Box<dyn Iterator<Item = Case> + 'a> {
        let depths = [Depth::List, Depth::Size, Depth::Digest, Depth::Deep];
        let expected = move |sound: fn(Depth, &str, &str) -> Option<bool>, what: &str, name: &str| {
            let expect = |depth| Some((vec![depth], [true, true], Expect::Sound(sound(depth, what, name)?)));
            depths.into_iter().filter_map(expect).collect()
        };
        let sound = Case {
            name: "sound".to_owned(),
            files: sample.files.clone(),
            expected: expected(|_, _, _| Some(true), "", ""),
        };
        let mut dice = Dice::new(19);
        let damaged = sample.files.iter().flat_map(move |(name, bytes)| {
            let at = usize::try_from(dice.below(bytes.len().max(1) as u64)).expect("a place");
            let files = &sample.files;
            // The end of a footer is zeros that nothing reads; the middle of a file is none.
            harms(name, bytes, bytes.len() / 2, at).into_iter().map(move |(told, bytes)| {
                let what = told.split(' ').next().unwrap_or_default();
                let expected = expected(is_sound, what, name);
                Case { files: with(files, name, bytes), expected, name: told }
            })
        });
        Box::new([sound].into_iter().chain(damaged))
    }

    fn matrix(&self) -> Vec<Row> {
        matrix::rows(self.0, &self.small().files)
    }

    fn unseen(&self, name: &str, at: usize, _: &[u8], after: &[u8]) -> Option<&'static str> {
        redundant::unseen(name, at, after)
    }

    fn says_the_same(&self, name: &str, before: &[u8], after: &[u8]) -> bool {
        redundant::says_the_same(self.0, &self.small().files, name, before, after)
    }

    fn hurts(&self, _: &Sample, name: &str, report: &Report) -> Result<(), String> {
        let told = report.tallies.values().sum::<u64>() > 0;
        if told { Ok(()) } else { Err(format!("a change of {name} goes unseen")) }
    }

    fn hostile(&self) -> Vec<super::hostile::Case> {
        hostile::cases(self.0)
    }

    fn targets(&self) -> Vec<Target> {
        match self.0 {
            Engine::RocksDb => fuzz::targets(),
            Engine::LevelDb => Vec::new(),
        }
    }
}

/// Whether a store is sound whose file `name` is damaged in this way; none where that depends on more.
fn is_sound(depth: Depth, what: &str, name: &str) -> Option<bool> {
    let bytes = depth >= Depth::Digest;
    match () {
        // Nothing depends on them, or nothing that a checksum covers.
        () if name == "IDENTITY" || name == DROPPED || name.starts_with("OPTIONS") => Some(true),
        () if name == "CURRENT" => Some(false),
        // Where it is cut decides, and its own beginning may be valid at its end.
        () if name.starts_with("MANIFEST") => {
            if what == "cut" {
                None
            } else {
                Some(what == "none")
            }
        }
        () if name == NAMED && what == "gone" => Some(false),
        () if name.ends_with(".log") => match what {
            _ if !bytes => Some(true),
            "flipped" | "doubled" => Some(false),
            // It is a warning, or nobody can tell.
            "cut" | "empty" | "gone" => Some(true),
            _ => None,
        },
        () => match what {
            "gone" => Some(false),
            _ if depth == Depth::List => Some(true),
            "flipped" => Some(!bytes),
            _ => Some(false),
        },
    }
}
