//! Puts the marks of a file beside it.

use highwater_core::marks::{self, Marks};
use highwater_core::name::{Name, TEMPORARY};

use crate::disk::like::Like;
use crate::disk::{self, Disk};
use crate::error::Error;
use crate::watch::Watch;

/// Writes the marks of `file`. When that fails there are none, which makes the next verification slower and nothing
/// else.
pub(crate) fn put(disk: &dyn Disk, file: &Name, marks: &Marks, watch: &Watch<'_>) {
    if let Err(error) = write(disk, file, &marks.encode()) {
        watch.notice(format!(
            "the marks of '{file}' cannot be written: {error}; the backup is whole without them, and `highwater \
             mark` writes them"
        ));
    }
}

/// Nothing is synced: a file that a power cut leaves empty or torn is passed over, and a sync would cost more than the
/// marks.
fn write(disk: &dyn Disk, file: &Name, bytes: &[u8]) -> Result<(), Error> {
    let to = Name::new(&[file.as_bytes(), marks::SUFFIX.as_bytes()].concat())?;
    let like = Like::in_place_of(disk, &to).map_err(Error::at("look at", disk, &to))?;
    disk::put(disk, &to, bytes, &like, TEMPORARY, false).map(|_| ())
}
