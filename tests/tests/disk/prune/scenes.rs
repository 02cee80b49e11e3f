//! What prune finds on the model: repositories and stores with points that stay and points that go.

use std::collections::BTreeMap;

use highwater::backup::datastore::{self, Archive, Known, SnapshotOptions};
use highwater::backup::repozo::{self, BackupOptions};
use highwater::watch::Watch;
use highwater_core::formats::datastore::names::time_of;
use highwater_core::formats::repozo::names::{DataFile, Kind};
use highwater_core::keep::Keep;
use highwater_tests::model::{Meta, Model, Survivors};
use highwater_tests::repo::Data;
use highwater_tests::specimens::crash::{Judgement, OF_REPO, REPO, SOURCE, must, names};
use highwater_tests::specimens::repozo::plain_backup;

use super::Scene;

const NONE: Keep = Keep { last: 0, hourly: 0, daily: 0, weekly: 0, monthly: 0, yearly: 0 };

pub(super) const SCENES: &[Scene] = &[
    Scene {
        name: "whole chains, and the end of one",
        kind: "repozo",
        start: chains,
        keep: Keep { monthly: 2, ..NONE },
        stays: &["2026-01-31-00-00-00", "2026-02-20-00-00-00", "2026-02-21-00-00-00"],
        holds: has_no_gap,
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
    },
];

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
