//! What is replicated: sets as tests of pruning make them, and those sets as they were some points ago.

use std::path::{Path, PathBuf};

use highwater_tests::model::{Model, Survivors};
use highwater_tests::repo::Image;
use highwater_tests::specimens::crash::REPO;
use highwater_tests::specimens::{self, Specimen};

use super::Source;
use crate::prune::scenes::SCENES;

/// Sets with several points, by name.
pub(super) fn several() -> impl Iterator<Item = (&'static str, Source)> {
    let wanted = ["whole chains, and the end of one", "snapshots of two groups", "points of a folder"];
    let wanted = move |name: &str| wanted.contains(&name) || name == "points of a database with blobs";
    SCENES
        .iter()
        .filter(move |scene| wanted(scene.name))
        .map(|scene| (scene.name, Source { kind: scene.kind, model: (scene.start)(), key: None }))
}

/// The specimens that are copied file by file.
pub(super) fn specimens() -> impl Iterator<Item = &'static dyn Specimen> {
    specimens::all().into_iter().filter(|specimen| specimen.format().facts().parts.is_some())
}

/// A set of these files.
pub(super) fn of(specimen: &dyn Specimen, files: &Image) -> Source {
    let model = Model::default();
    model.put_folder(REPO);
    for (name, bytes) in files {
        model.put(format!("{REPO}/{name}"), bytes);
    }
    Source { kind: specimen.name(), model, key: specimen.key() }
}

/// The same set as it was before its newest point.
pub(super) fn older(source: &Source) -> Source {
    let model = source.model.survive(Survivors::Everything);
    let names = |end: &str| -> Vec<PathBuf> {
        let names = model.names(REPO).into_iter();
        names.filter(|path| path.to_string_lossy().ends_with(end) && path.parent() != Some(Path::new("/"))).collect()
    };
    match source.kind {
        "repozo" => {
            let dat = names(".dat").pop().expect("an index");
            let text = model.get(&dat).expect("it is there");
            let lines = text.split_inclusive(|byte| *byte == b'\n').collect::<Vec<_>>();
            model.put(&dat, &lines[..lines.len() - 1].concat());
        }
        "datastore" => {
            let newest = names("index.json.blob").pop().expect("a snapshot");
            let folder = newest.parent().expect("a folder").to_owned();
            model.names(&folder).into_iter().for_each(|path| model.take_away(path));
        }
        _ => model.take_away(names(".mtree").pop().expect("a list")),
    }
    Source { model, ..source.clone() }
}
