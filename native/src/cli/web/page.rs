//! The page: in the program, named by the user, or beside the program.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::shown::quoted;

/// The page in one file.
const FILE: &str = "highwater.html";

/// The page as it was when the program was built; empty when there was none.
const WITHIN: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/highwater.html"));

/// Gives the page: a file that was named, else the one in the program, else one that lies beside it.
///
/// # Errors
/// When there is none, or it cannot be read.
pub(super) fn page(named: Option<&Path>) -> Result<Cow<'static, [u8]>, Error> {
    let path = match named {
        Some(path) => path.to_owned(),
        None if !WITHIN.is_empty() => return Ok(Cow::Borrowed(WITHIN)),
        None => beside()?,
    };
    let page = std::fs::read(&path);
    page.map(Cow::Owned).map_err(|error| Error::cannot_start(format!("cannot read {}: {error}", quoted(&path))))
}

/// Where it lies when it was installed, unpacked or built after the program.
fn beside() -> Result<PathBuf, Error> {
    let program = std::env::current_exe().unwrap_or_default();
    let folder = program.parent().unwrap_or(Path::new("."));
    let places = [FILE, "../share/highwater/highwater.html", "../web/highwater.html"].map(|place| folder.join(place));
    places.iter().find(|place| place.is_file()).cloned().ok_or_else(|| {
        let place = quoted(&places[0]);
        Error::cannot_start(format!(
            "this program was built without the page: build that with web/build, and the program again; or name it \
             with --page, or put it at {place}"
        ))
    })
}
