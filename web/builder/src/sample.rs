//! Puts the sample of a backup into the page: the files of `web/sample`, which repozo made.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Where they go in the script.
const PLACE: &str = "\"<sample>\"";

/// The script with the files of a folder in it.
pub(crate) fn put(script: &str, folder: &Path) -> Result<String, Box<dyn Error>> {
    if script.matches(PLACE).count() != 1 {
        return Err(format!("the page must have {PLACE} once").into());
    }
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        files.insert(entry.file_name().to_string_lossy().into_owned(), STANDARD.encode(fs::read(entry.path())?));
    }
    Ok(script.replace(PLACE, &format!("{files:?}")))
}
