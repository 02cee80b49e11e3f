//! What the instruments need to know of a format, said once: every instrument loops over [`all`].
//!
//! A new format joins by a file or folder here that implements [`Specimen`], and a line in [`all`]. Then these take:
//!
//! | instrument | takes |
//! |---|---|
//! | `engine/split`, `drive`, `wasm` | [`Specimen::samples`], [`Specimen::damages`], [`Specimen::harmed`] |
//! | `command/damage` | [`Specimen::matrix`]; [`Specimen::small`], what may change [`Specimen::unseen`], whom that [`Specimen::hurts`] |
//! | `disk/crash` | [`Specimen::scenes`], and what must hold after them: [`Specimen::holds`], [`Specimen::done`] |
//! | `disk/injected` | [`Specimen::injected`]: scenes, each with who judges it |
//! | `command/hostile` | [`Specimen::hostile`]: sets that somebody prepared, the commands over them, their exit codes |
//! | `page` | the samples, their damages and their [`Sample::points`] |
//! | `fuzz` | [`Specimen::targets`]; each also needs a file in `tests/fuzz`, and its seeds in the corpus |
//!
//! What is true of one format alone has its own tests: Python's repozo beside ours, the server's state of a store.

pub mod crash;
pub mod datastore;
pub mod dirstorage;
pub mod fjall;
pub mod hostile;
pub mod injected;
pub mod mirror;
pub mod repozo;
pub mod rocksdb;
pub mod tree;

use std::fs;
use std::path::Path;

use highwater_core::formats::by_name;
use highwater_core::inspect::Format;
use highwater_core::key::Key;
use highwater_core::report::{Depth, Report, Soundness};

use crate::dice::Dice;
use crate::fuzz::Target;
use crate::harm;
use crate::memory::Host;
use crate::model::Model;
use crate::repo::Image;
use crash::{Judgement, Scene, Seen};

/// Every format.
pub fn all() -> [&'static dyn Specimen; 8] {
    [
        &repozo::Repozo,
        &datastore::Datastore,
        &fjall::Fjall,
        &rocksdb::Stores::ROCKSDB,
        &rocksdb::Stores::LEVELDB,
        &dirstorage::DirStorage,
        &tree::Tree,
        &mirror::Mirror,
    ]
}

/// Bytes up to which a sample is small: an instrument does all that it can do to it, and less to others.
const SMALL: usize = 256 << 10;

/// What is known of one format.
pub trait Specimen: Sync {
    /// Its name, as `--kind` takes it.
    fn name(&self) -> &'static str;

    /// A sound set of some kilobytes, the same each time.
    fn small(&self) -> Sample;

    /// The key of what is encrypted in the small sample and in the scenes.
    fn key(&self) -> Option<Key> {
        None
    }

    /// Every sound set, the small one first.
    fn samples(&self) -> Vec<Sample>;

    /// A sound sample, and each kind of damage to it, with what is to be said of it.
    fn damages<'a>(&self, sample: &'a Sample) -> Box<dyn Iterator<Item = Case> + 'a>;

    /// The files with one to three pieces of random harm done to them, and what they are.
    fn harmed(&self, files: &Image, dice: &mut Dice) -> (String, Image) {
        harm::harmed(files, dice)
    }

    /// Damages to each kind of file, and what verify must say of each.
    fn matrix(&self) -> Vec<Row>;

    /// Why it is no loss that byte `at` of a file of [`Self::small`] changes unseen; none where that would be one.
    fn unseen(&self, name: &str, at: usize, before: &[u8], after: &[u8]) -> Option<&'static str>;

    /// Whether a file of [`Self::small`] that became shorter or longer says the same.
    fn says_the_same(&self, name: &str, before: &[u8], after: &[u8]) -> bool;

    /// Fails unless a report on [`Self::small`] blames whom a change of this file hurts, and nobody else.
    ///
    /// # Errors
    /// What is wrong with the report.
    fn hurts(&self, sample: &Sample, name: &str, report: &Report) -> Result<(), String>;

    /// The fuzz targets for its parsers and codecs, and for sets of it as a whole.
    fn targets(&self) -> Vec<Target>;

    /// The verbs that write, each with the disk that it starts from; none where nothing is written.
    fn scenes(&self) -> &'static [Scene] {
        &[]
    }

    /// Whether a name in a repository is one whose owner and permissions nobody asks for.
    fn is_nobodys(&self, _: &str) -> bool {
        false
    }

    /// Whether a file of this name in a repository may have these permissions, where `usual` are those of a file that a
    /// user makes.
    fn may_have(&self, _name: &str, mode: u32, usual: u32) -> bool {
        mode == usual
    }

    /// Whether a file is one that need not survive a power cut, though a run that ends well must have made it.
    fn is_extra(&self, _: &str) -> bool {
        false
    }

    /// What must hold after a power cut besides what holds for every format.
    ///
    /// # Errors
    /// A sentence that says what does not hold.
    fn holds(&self, _: &Seen<'_>) -> Judgement {
        Ok(())
    }

    /// A restored target of these bytes is the old state or a new one to whoever reads it.
    ///
    /// # Errors
    /// A sentence that says what does not hold.
    fn target_holds(&self, _: &Seen<'_>, _: &[u8]) -> Judgement {
        Ok(())
    }

    /// After a run in which some read failed, and which ended well: nothing was put aside that was rightly there.
    ///
    /// # Errors
    /// A sentence that says what was.
    fn keeps(&self, _: &Scene, _: &Model) -> Judgement {
        Ok(())
    }

    /// After a run that went to its end: `seen` is what is durable, `live` what a process sees.
    ///
    /// # Errors
    /// A sentence that says what is not done.
    fn done(&self, _: &Seen<'_>, _: &Model) -> Judgement {
        Ok(())
    }

    /// The verbs of the binary, each with the files that it finds; none where nothing is written.
    fn injected(&self) -> Vec<injected::Scene> {
        Vec::new()
    }

    /// Hostile sets, each with the commands that run over it and their exit codes.
    fn hostile(&self) -> Vec<hostile::Case>;

    /// The format itself.
    fn format(&self) -> &'static dyn Format {
        by_name(self.name()).expect("a known format")
    }

    /// A host in memory for sets of it.
    fn host(&self, depth: Depth, key: Option<Key>) -> Host {
        Host { format: self.name(), key, ..Host::at(depth) }
    }
}

/// A sound set.
#[derive(Debug, Clone)]
pub struct Sample {
    /// What to call it.
    pub name: &'static str,
    /// Its files, by their paths in it.
    pub files: Image,
    /// The key of what is encrypted, and a key file that gives it without a passphrase.
    pub key: Option<(Key, Vec<u8>)>,
    /// Everything that can be restored.
    pub points: Vec<Point>,
}

/// Something that can be restored.
#[derive(Debug, Clone)]
pub struct Point {
    /// Its name, as the format takes it.
    pub name: String,
    /// SHA-256 of its bytes, in hexadecimal digits.
    pub sum: String,
    /// It takes the key.
    pub sealed: bool,
}

impl Sample {
    /// Without the key, and with it where there is one.
    pub fn keys(&self) -> Vec<Option<Key>> {
        let key = self.key.as_ref().map(|(key, _)| Some(key.clone()));
        [None].into_iter().chain(key).collect()
    }

    /// The key, where there is one.
    pub fn key(&self) -> Option<Key> {
        self.key.as_ref().map(|(key, _)| key.clone())
    }

    /// Whether an instrument can do to it all that it can do.
    pub fn is_small(&self) -> bool {
        self.files.values().map(Vec::len).sum::<usize>() < SMALL
    }

    /// The depths at which its reports differ much enough to look at: of a large set, which takes long, fewer.
    pub fn depths(&self) -> &'static [Depth] {
        if self.is_small() { &[Depth::List, Depth::Size, Depth::Digest, Depth::Deep] } else { &[Depth::Digest] }
    }
}

/// A set that is sound, or damaged in one way.
#[derive(Debug, Clone)]
pub struct Case {
    /// What happened to it; `sound` if nothing did.
    pub name: String,
    /// Its files.
    pub files: Image,
    /// What reports must say, each at these depths, without the key (false) or with it (true).
    pub expected: Vec<(Vec<Depth>, [bool; 2], Expect)>,
}

/// What a report must say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expect {
    /// Whether it is sound.
    Sound(bool),
    /// The names of the damaged points, in order.
    Damaged(Vec<String>),
}

impl Case {
    /// Compares a report with what it must say, if anything is known.
    ///
    /// # Errors
    /// What it says and what it should.
    pub fn judge(&self, depth: Depth, keyed: bool, report: &Report) -> Result<(), String> {
        let wanted =
            self.expected.iter().filter(|(depths, keys, _)| depths.contains(&depth) && keys[usize::from(keyed)]);
        for (_, _, wanted) in wanted {
            let is_right = match wanted {
                Expect::Sound(sound) => (report.verdict == Soundness::Sound) == *sound,
                Expect::Damaged(names) => {
                    let damaged = report.sets.iter().filter(|set| set.verdict == Soundness::Damaged);
                    damaged.map(|set| &set.name).eq(names)
                }
            };
            if !is_right {
                let Self { name, .. } = self;
                return Err(format!("{name} at {depth:?}, key {keyed}: {wanted:?} was expected of {report:?}"));
            }
        }
        Ok(())
    }
}

/// A damaged set, and what verify must say of it at each depth.
#[derive(Debug, Clone)]
pub struct Row {
    /// What happened, as it stands in the table, padded with spaces.
    pub label: String,
    /// The files.
    pub files: Image,
    /// The line of the table: the label, then a cell for each depth.
    pub wanted: String,
}

impl Row {
    /// Pairs damages with the lines of a table, of which there must be as many; `#` begins a comment.
    #[track_caller]
    pub fn all(damages: impl Iterator<Item = (String, Image)>, table: &str) -> Vec<Self> {
        let mut lines = table.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        let row = |(label, files): (String, Image)| {
            let wanted = lines.next().unwrap_or_else(|| panic!("no line is about: {label}")).to_owned();
            Self { label, files, wanted }
        };
        let rows = damages.map(row).collect();
        assert_eq!(lines.next(), None, "a line is about no damage");
        rows
    }

    /// The label with single spaces.
    pub fn name(&self) -> String {
        self.label.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

/// Makes a folder hold exactly these files, at their paths.
#[track_caller]
pub fn lay(files: &Image, folder: &Path) {
    let _ = fs::remove_dir_all(folder);
    fs::create_dir_all(folder).expect("a new folder");
    for (name, bytes) in files {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().expect("a folder of the set")).expect("a folder");
        fs::write(path, bytes).expect("a file is written");
    }
}

/// Harm to one file at a time: a byte `flip` flipped, cut at `at`, emptied, longer, doubled, gone. By what it is.
fn harms(name: &str, bytes: &[u8], flip: usize, at: usize) -> Vec<(String, Option<Vec<u8>>)> {
    let mut flipped = bytes.to_vec();
    if let Some(byte) = flipped.get_mut(flip) {
        *byte ^= 1;
    }
    let told = |what: &str, bytes| (format!("{what} {name}"), bytes);
    vec![
        told("flipped", Some(flipped)),
        told("cut", Some(bytes[..at].to_vec())),
        told("empty", Some(Vec::new())),
        told("longer", Some([bytes, &[7; 9000]].concat())),
        told("doubled", Some([bytes, bytes].concat())),
        told("gone", None),
    ]
}

/// A set in which one file is another, or is gone.
fn with(files: &Image, name: &str, bytes: Option<Vec<u8>>) -> Image {
    let mut files = files.clone();
    match bytes {
        Some(bytes) => files.insert(name.to_owned(), bytes),
        None => files.remove(name),
    };
    files
}
