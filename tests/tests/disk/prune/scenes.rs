//! What prune finds on the model: repositories and stores with points that stay and points that go.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use highwater::backup::datastore::{self, Archive, Known, SnapshotOptions};
use highwater::backup::repozo::{self, BackupOptions};
use highwater::backup::tree::{self, Folder, TreeOptions};
use highwater::watch::Watch;
use highwater_core::formats::datastore::names::time_of;
use highwater_core::formats::repozo::names::{DataFile, Kind};
use highwater_core::keep::Keep;
use highwater_tests::dice::Dice;
use highwater_tests::model::{Meta, Model, Survivors};
use highwater_tests::repo::Data;
use highwater_tests::specimens::crash::{Judgement, OF_REPO, REPO, SOURCE, must, names};
use highwater_tests::specimens::repozo::plain_backup;

use super::{Scene, databases};

const NONE: Keep = Keep { last: 0, hourly: 0, daily: 0, weekly: 0, monthly: 0, yearly: 0 };

pub(crate) const SCENES: &[Scene] = &[
    Scene {
        name: "whole chains, and the end of one",
        kind: "repozo",
        start: chains,
        keep: Keep { monthly: 2, ..NONE },
        stays: &["2026-01-31-00-00-00", "2026-02-20-00-00-00", "2026-02-21-00-00-00"],
        holds: has_no_gap,
        done: |_| Ok(()),
    },
    Scene {
        name: "a middle of a chain that is needed",
        kind: "repozo",
        start: chains,
        keep: Keep { weekly: 3, ..NONE },
        stays: &[
            "2026-01-31-00-00-00",
            "2026-02-01-00-00-00",
            "2026-02-02-00-00-00",
            "2026-02-20-00-00-00",
            "2026-02-21-00-00-00",
        ],
        holds: has_no_gap,
        done: |_| Ok(()),
    },
    Scene {
        name: "snapshots of two groups",
        kind: "datastore",
        start: store,
        keep: Keep { last: 1, ..NONE },
        stays: &[
            "host/db/2025-01-01T00:00:00Z",
            "host/db/2025-01-04T00:00:00Z",
            "ns/team/host/db/2025-01-02T00:00:00Z",
        ],
        holds: |_| Ok(()),
        done: |_| Ok(()),
    },
    Scene {
        name: "points of a folder",
        kind: "tree",
        start: set,
        keep: Keep { last: 1, yearly: 1, ..NONE },
        stays: &["2024-12-31T00-00-00Z", "2025-01-04T00-00-00Z"],
        holds: keeps_what_is_nobodys,
        done: has_what_lists_name,
    },
    Scene {
        name: "a set of which only objects go",
        kind: "tree",
        start: set,
        keep: Keep { last: 9, ..NONE },
        stays: &[
            "2024-12-31T00-00-00Z",
            "2025-01-01T00-00-00Z",
            "2025-01-02T00-00-00Z",
            "2025-01-03T00-00-00Z",
            "2025-01-04T00-00-00Z",
        ],
        holds: keeps_what_is_nobodys,
        done: has_what_lists_name,
    },
    Scene {
        name: "points of a database with blobs",
        kind: "tree",
        start: databases::set,
        keep: Keep { last: 1, yearly: 2, ..NONE },
        stays: &["2024-12-31T00-00-00Z", "2025-01-07T00-00-00Z"],
        holds: databases::is_sound,
        done: databases::has_what_stays,
    },
];

/// What lies in a set and is nobody's: names below it.
const NOBODYS: [&str; 6] = [
    "objects/ab/new.0123456789abcdef.highwater-tmp",
    "objects/ab/notes",
    "objects/ab/cdef000000000000000000000000000000000000000000000000000000000000",
    "objects/abcd000000000000000000000000000000000000000000000000000000000000",
    "objects/ab/ab00000000000000000000000000000000000000000000000000000000000000.0.bad",
    "points/notes",
];

/// Points of a folder that changes, objects that an interrupted run left, and what is nobody's.
fn set() -> Model {
    let (model, mut dice) = (Model::default(), Dice::new(20));
    model.put_folder_with(REPO, OF_REPO);
    let back_up = |now: &str| {
        let job = TreeOptions { now: Some(now.to_owned()), ..TreeOptions::default() };
        tree::backup(&job, &mut Folder(Arc::new(model.root("/model/files"))), &model.root(REPO), &Watch::silent())
            .map(drop)
    };
    model.put("/model/files/a/same", &dice.bytes(300));
    for day in ["2024-12-31", "2025-01-01", "2025-01-02", "2025-01-03", "2025-01-04"] {
        model.put("/model/files/a/changes", &dice.bytes(200));
        model.put(format!("/model/files/only-{day}"), &dice.bytes(100));
        back_up(&format!("{day}-00-00-00")).expect("a point");
        model.take_away(format!("/model/files/only-{day}"));
    }
    for object in ["aa11", "ab22", "ab33"] {
        let name = format!("{object}{}", "0".repeat(60));
        model.put(format!("{REPO}/objects/{}/{name}", &object[..2]), b"of a run that was killed");
    }
    for name in NOBODYS {
        model.put(format!("{REPO}/{name}"), b"mine");
    }
    model.survive(Survivors::Everything)
}

fn keeps_what_is_nobodys(model: &Model) -> Judgement {
    let lost = NOBODYS.iter().find(|name| model.get(format!("{REPO}/{name}")).is_none());
    must(lost.is_none(), || format!("{lost:?} is gone"))
}

/// The pool has what some list names, and nothing else but what is nobody's.
fn has_what_lists_name(model: &Model) -> Judgement {
    let below = |folder: &str| {
        let names = model.names(format!("{REPO}/{folder}")).into_iter();
        names.filter(|path| model.get(path).is_some()).map(|path| path.strip_prefix(REPO).expect("below").to_owned())
    };
    let text = |path: &PathBuf| String::from_utf8(model.get(Path::new(REPO).join(path)).expect("a file"));
    let lists: String = below("points").map(|path| text(&path).expect("text")).collect();
    let digests: BTreeSet<&str> =
        lists.split("sha256=").skip(1).filter_map(|rest| rest.split_ascii_whitespace().next()).collect();
    let named = digests.iter().map(|digest| format!("objects/{}/{digest}", &digest[..2]));
    let nobodys = NOBODYS.iter().filter(|name| name.starts_with("objects")).map(|name| (*name).to_owned());
    let wanted: BTreeSet<PathBuf> = named.chain(nobodys).map(PathBuf::from).collect();
    // Folders of the pool stay.
    let is_file = |path: &PathBuf| !path.ends_with("objects") && path.file_name().is_some_and(|name| name.len() > 2);
    let found: BTreeSet<PathBuf> = below("objects").filter(is_file).collect();
    must(found == wanted, || {
        let (more, less): (Vec<_>, Vec<_>) = (found.difference(&wanted).collect(), wanted.difference(&found).collect());
        format!("{more:?} are left, {less:?} are gone")
    })
}

/// Three chains of a database that grows; the last one is gzipped.
fn chains() -> Model {
    let (model, mut data) = (Model::default(), Data::new(7));
    model.put_folder_with(REPO, OF_REPO);
    for (stamp, full, gzip) in [
        ("2025-11-01-00-00-00", true, false),
        ("2025-11-02-00-00-00", false, false),
        ("2025-11-03-00-00-00", false, false),
        ("2026-01-31-00-00-00", true, false),
        ("2026-02-01-00-00-00", false, false),
        ("2026-02-02-00-00-00", false, false),
        ("2026-02-20-00-00-00", true, true),
        ("2026-02-21-00-00-00", false, true),
    ] {
        data.grow(2);
        model.put(SOURCE, &data.bytes);
        let job = BackupOptions { full, gzip: gzip.then_some(6), ..plain_backup(stamp) };
        repozo::backup(&job, &model.place(SOURCE), &model.root(REPO), &Watch::silent()).expect("a backup");
    }
    model.survive(Survivors::Everything)
}

/// The original goes by the files alone: whatever it finds is the beginning of the database, without a gap. Gzipped
/// files are of the chain that stays.
fn has_no_gap(model: &Model) -> Judgement {
    let source = model.get(SOURCE).expect("the source");
    let files: BTreeMap<String, Vec<u8>> = names(model)
        .into_iter()
        .filter_map(|name| Some((name.clone(), model.get(format!("{REPO}/{name}"))?)))
        .collect();
    let mut chain = None;
    for (name, bytes) in &files {
        let Some(data) = DataFile::parse(name.as_bytes()).filter(|data| !data.name().ends_with('z')) else { continue };
        let start = match (data.kind, chain) {
            (Kind::Full, _) => 0,
            (Kind::Delta, Some(end)) => end,
            (Kind::Delta, None) => return Err(format!("{name} has no full backup before it")),
        };
        let end = start + bytes.len();
        must(source.get(start..end) == Some(bytes), || format!("the original finds a gap before {name}"))?;
        chain = Some(end);
    }
    Ok(())
}

/// A store with two groups; the oldest snapshot of the one is protected.
fn store() -> Model {
    let files = Meta { mode: 0o644, ..OF_REPO };
    let (model, mut data) = (Model::default(), Data::new(7));
    model.put_folder_with(REPO, OF_REPO);
    model.put_folder_with(format!("{REPO}/.chunks"), OF_REPO);
    model.put_with(format!("{REPO}/.lock"), b"", files);
    for (group, day) in
        [("host/db", 1), ("host/db", 2), ("host/db", 3), ("host/db", 4), ("ns/team/host/db", 1), ("ns/team/host/db", 2)]
    {
        data.grow(2);
        model.put(SOURCE, &data.bytes);
        let archive = |name: &str| Archive::new(model.place(SOURCE), name).expect("a name");
        let job = SnapshotOptions {
            archives: vec![archive("Data.fs"), archive("zeo.conf")],
            group: group.to_owned(),
            chunk: 512,
            key: None,
            known: Known::Size,
            append_only: false,
            owner: "root@pam".to_owned(),
            dry_run: false,
            now: time_of(&format!("2025-01-{day:02}T00:00:00Z")),
        };
        datastore::backup(&job, &model.root(REPO), &Watch::silent()).expect("a snapshot");
    }
    model.put_with(format!("{REPO}/host/db/2025-01-01T00:00:00Z/.protected"), b"", files);
    model.survive(Survivors::Everything)
}
