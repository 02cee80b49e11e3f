//! Scenes on the model of a disk: what a verb starts from, what it writes, and what is judged afterwards.

use highwater::disk::Owner;
use highwater::error::Error;
use highwater::restore;
use highwater::store::Store;
use highwater::watch::Watch;
use highwater_core::inspect::Entry;
use highwater_core::name::Name;
use highwater_core::report::Report;

use crate::model::{Meta, Model};
use crate::repo::Data;

/// What is backed up.
pub const SOURCE: &str = "/model/Data.fs";
/// The repository or store.
pub const REPO: &str = "/model/repo";
/// The folder of the target.
pub const STANDBY: &str = "/model/standby";
/// What is restored.
pub const TARGET: &str = "/model/standby/Data.fs";

/// Whom the repository belongs to, the standby's folder, and the database in it; each is somebody else than who runs.
pub const OF_REPO: Meta = Meta { owner: Owner { user: 1001, group: 1002 }, mode: 0o755, modified: (0, 0) };
/// Whom the folder of the target belongs to.
pub const OF_STANDBY: Meta = Meta { owner: Owner { user: 2001, group: 2002 }, mode: 0o750, modified: (0, 0) };
/// Whom the target belongs to.
pub const OF_TARGET: Meta = Meta { owner: Owner { user: 3001, group: 3002 }, mode: 0o640, modified: (0, 0) };

/// What belongs to who runs.
pub const OURS: Meta = Meta { owner: Owner { user: 0, group: 0 }, mode: 0o640, modified: (0, 0) };

/// Those of a run, of the one that recovers, and of the last.
pub const RUNS: [&str; 3] = ["2026-01-02-00-00-00", "2026-01-03-00-00-00", "2026-01-04-00-00-00"];

/// A database as it grows, and another one.
#[derive(Debug)]
pub struct World {
    /// Its bytes, each a beginning of the next.
    pub states: [Vec<u8>; 4],
    /// A transaction that comes after the last state, as far as it is written.
    pub unfinished: Vec<u8>,
    /// Another database.
    pub other: Vec<u8>,
}

/// One writing verb, and the disk it starts from.
#[derive(Debug)]
pub struct Scene {
    /// What it is called.
    pub name: &'static str,
    /// The disk as the verb finds it.
    pub start: fn(&World) -> Model,
    /// Runs the verb at a time, which reads like `2026-01-02-00-00-00`.
    pub verb: fn(&Model, &str) -> Result<(), Error>,
    /// What it writes.
    pub kind: Kind,
    /// It takes many operations, most of them alike, in threads.
    pub long: bool,
}

/// What a verb writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A point; older ones stay.
    Backup,
    /// A point; older ones may go once it is there.
    BackupAndKill,
    /// Points that are sound again.
    Heal,
    /// A target that becomes this state of the source.
    Restore(usize),
    /// The same, and the old target may be given up first.
    RestoreInPlace(usize),
}

/// A sentence that says what does not hold.
pub type Judgement = Result<(), String>;

/// A disk that is judged.
#[derive(Debug)]
pub struct Seen<'a> {
    /// What ran.
    pub scene: &'a Scene,
    /// What the source held.
    pub world: &'a World,
    /// What is on the disk.
    pub model: &'a Model,
    /// What verify says of it.
    pub report: &'a Report,
    /// What the target held before.
    pub target: Option<&'a [u8]>,
}

/// Fails with a sentence unless something holds.
///
/// # Errors
/// That sentence.
pub fn must(holds: bool, otherwise: impl FnOnce() -> String) -> Judgement {
    if holds { Ok(()) } else { Err(otherwise()) }
}

/// The names in the repository.
pub fn names(model: &Model) -> Vec<String> {
    let mut names = Vec::new();
    let listed = model.root(REPO).list(None, &mut |entry: Entry| names.push(entry.name.to_string()));
    listed.expect("a listing");
    names
}

impl Scene {
    /// Whom the target belongs to, if one is there when it begins.
    pub fn target(&self, world: &World) -> Option<Meta> {
        (self.start)(world).meta(TARGET)
    }
}

impl World {
    /// The same seed gives the same world.
    pub fn new(seed: u64) -> Self {
        let mut data = Data::new(seed);
        let states = [0u64, 100, 200, 300].map(|base| {
            for oid in 0..3 {
                data.commit(&[(oid, 30), (base + oid, 20)]);
            }
            data.bytes.clone()
        });
        data.commit(&[(0, 400)]);
        let unfinished = data.bytes[states[3].len()..][..300].to_vec();
        let mut other = Data::new(seed + 1000);
        other.grow(9);
        Self { states, unfinished, other: other.bytes }
    }

    /// A disk with the source as it was then, and the folders of repository and target.
    pub fn source(&self, step: usize) -> Model {
        let model = Model::default();
        model.put(SOURCE, &self.states[step]);
        model.put_folder_with(REPO, OF_REPO);
        model.put_folder_with(STANDBY, OF_STANDBY);
        model
    }
}

/// A name.
pub fn name(text: &str) -> Name {
    Name::new(text.as_bytes()).expect("a name")
}

/// A restore as it is when nothing is asked for.
pub fn plain() -> restore::RestoreOptions {
    let look = restore::Look::Length;
    restore::RestoreOptions {
        quick: false,
        full: false,
        in_place: false,
        force: false,
        dry_run: false,
        look,
        whole_sum: false,
    }
}

/// Every byte that a plan gives.
///
/// # Errors
/// As a restore has them.
pub fn bytes_of(model: &Model, plan: &restore::Plan) -> Result<Vec<u8>, Error> {
    let job = restore::RestoreOptions { full: true, ..plain() };
    let mut bytes = Vec::new();
    restore::to_stream(&job, plan, &model.root(REPO), &mut bytes, &Watch::silent())?;
    Ok(bytes)
}
