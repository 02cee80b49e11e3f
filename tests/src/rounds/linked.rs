//! What a copy may share with its store: files that the engine never writes again once they are named.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::writers::Kind;

/// The first file of the copy that has another name and may not.
pub(super) fn wrongly(kind: Kind, copy: &Path) -> Option<PathBuf> {
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(copy.join(&folder)).ok()?.flatten() {
            let path = folder.join(entry.file_name());
            let metadata = entry.metadata().ok()?;
            if metadata.is_dir() {
                folders.push(path);
            } else if metadata.nlink() > 1 && !is_never_written_again(kind, &path) {
                return Some(path);
            }
        }
    }
    None
}

fn is_never_written_again(kind: Kind, path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let folder = path.parent().and_then(Path::file_name).and_then(|name| name.to_str()).unwrap_or_default();
    let has_ending = |endings: &[&str]| endings.iter().any(|ending| name.ends_with(ending));
    match kind {
        Kind::Fjall => matches!(folder, "tables" | "blobs"),
        Kind::Rocksdb => has_ending(&[".sst", ".blob"]),
        Kind::Leveldb => has_ending(&[".ldb", ".sst"]),
        Kind::Git => path.starts_with("objects"),
        // A pack changes the pointers of transactions.
        Kind::Dirstorage => folder != "x" && name.len() > 16,
        Kind::Tantivy => !matches!(name, "meta.json" | ".managed.json") && !has_ending(&[".lock"]),
    }
}
