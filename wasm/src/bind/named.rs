//! The files of a point, as a page names them.

use std::collections::HashSet;

use highwater_core::drive::tree::Held;
use serde::Serialize;

use super::options::Options;

/// Files by their paths, or the keys of a bucket.
#[derive(Serialize)]
pub(super) struct Named {
    files: Vec<File>,
    /// How many there are of which these are the first.
    total: f64,
}

/// One of them.
#[derive(Serialize)]
struct File {
    path: String,
    bytes: f64,
    objects: Vec<String>,
}

impl Named {
    /// Those that are asked for.
    pub(super) fn of(held: &[Held], options: &Options) -> Self {
        let asked: Option<HashSet<&[u8]>> =
            options.objects.as_ref().map(|objects| objects.iter().map(String::as_bytes).collect());
        let is_asked = |held: &&Held| {
            asked.as_ref().is_none_or(|asked| held.objects.iter().any(|object| asked.contains(object.as_bytes())))
        };
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let file = |held: &Held| File {
            path: text(&held.name),
            bytes: held.bytes as f64,
            objects: held.objects.iter().map(|object| text(object.as_bytes())).collect(),
        };
        let most = options.most.map_or(usize::MAX, |most| usize::try_from(most).unwrap_or(usize::MAX));
        let files = held.iter().filter(is_asked).take(most).map(file).collect();
        Self { files, total: held.iter().filter(is_asked).count() as f64 }
    }
}
