//! Scenes of backups of a `Data.fs` with a folder of blobs, which keep a repository in the set.

use std::sync::Arc;

use highwater::backup::tree::{TreeOptions, Zodb, ZodbOptions, backup};
use highwater::error::Error;
use highwater::watch::Watch;

use crate::model::{Model, Survivors};
use crate::specimens::crash::{REPO, World};

/// What is backed up.
const STORE: &str = "/model/var";

/// When the point that is there was made.
const BEFORE: &str = "2025-01-01-00-00-00";

fn put(model: &Model, world: &World, step: usize) {
    model.put(format!("{STORE}/filestorage/Data.fs"), &world.states[step]);
    model.put(format!("{STORE}/blobstorage/.layout"), b"bushy");
}

pub(super) fn back_up(model: &Model, now: &str) -> Result<(), Error> {
    let job = TreeOptions { now: Some(now.to_owned()), ..TreeOptions::default() };
    let found = Zodb::find(Arc::new(model.root(STORE)), ZodbOptions::default(), true)?;
    let mut source = found.ok_or_else(|| Error::failed("there is no database"))?;
    backup(&job, &mut source, &model.root(REPO), &Watch::silent()).map(drop)
}

/// A set without a point.
pub(super) fn empty(world: &World) -> Model {
    let model = world.source(1);
    for folder in ["", "/filestorage", "/blobstorage"] {
        model.put_folder(format!("{STORE}{folder}"));
    }
    put(&model, world, 1);
    model
}

/// A set with a point; `Data.fs` has grown since.
pub(super) fn used(world: &World) -> Model {
    let model = empty(world);
    back_up(&model, BEFORE).expect("a point");
    put(&model, world, 2);
    model.survive(Survivors::Everything)
}
