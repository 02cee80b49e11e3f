//! What lies in a scratch folder, and whether a command's output is fit for a terminal.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use highwater_core::digest::md5_of;

/// What lies in a folder, but below `but`.
pub(crate) fn snapshot(folder: &Path, but: Option<&Path>) -> BTreeMap<PathBuf, String> {
    let mut seen = BTreeMap::new();
    look(folder, but, &mut seen);
    seen
}

fn look(folder: &Path, but: Option<&Path>, seen: &mut BTreeMap<PathBuf, String>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if but == Some(&path) {
            continue;
        }
        let meta = fs::symlink_metadata(&path).expect("it is there");
        let content = if meta.is_symlink() {
            format!("{:?}", fs::read_link(&path).expect("a link"))
        } else if meta.is_file() && meta.len() < 1 << 20 {
            md5_of(&fs::read(&path).expect("a file")).to_string()
        } else {
            String::new()
        };
        let times = (meta.mtime(), meta.mtime_nsec());
        // The links of a file that lies in both parts change when the one part is written anew.
        let text = format!("{:o} {} bytes, {times:?}, {content}", meta.mode(), meta.len());
        if meta.is_dir() {
            look(&path, but, seen);
        }
        seen.insert(path, text);
    }
}

/// Whether text is safe for a terminal: no control characters but line feeds, nothing that reorders, all of it UTF-8.
pub(crate) fn is_clean(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_ok_and(|text| {
        !text
            .chars()
            .any(|c| (c.is_control() && c != '\n') || ('\u{202a}'..='\u{202e}').contains(&c) || c == '\u{fffd}')
    })
}

/// A path's bytes, for messages.
pub(crate) fn short(path: &Path) -> String {
    String::from_utf8_lossy(path.as_os_str().as_bytes()).chars().take(60).collect()
}
