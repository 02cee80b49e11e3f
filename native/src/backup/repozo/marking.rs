//! Puts a data file's marks beside it.

use std::io;
use std::path::{Path, PathBuf};

use highwater_core::formats::repozo::names::{MARKS, TEMPORARY};
use highwater_core::marks::Marks;

use crate::disk::Disk;
use crate::shown::quoted;
use crate::watch::Watch;

/// Where the marks of a data file lie.
pub(crate) fn path(repository: &Path, file: &str) -> PathBuf {
    repository.join(format!("{file}{MARKS}"))
}

/// Writes the marks of `file`. When that fails there are none, which makes the next verification slower and nothing else.
pub(crate) fn put(disk: &dyn Disk, repository: &Path, file: &str, marks: &Marks, watch: &Watch<'_>) {
    let to = path(repository, file);
    if let Err(error) = write(disk, &to, &marks.encode()) {
        watch.notice(format!(
            "the marks {} cannot be written: {error}; the backup is whole without them, and `highwater mark` writes them",
            quoted(&to)
        ));
    }
}

/// Nothing is synced: a file that a power cut leaves empty or torn is passed over, and a sync would cost more than the marks.
fn write(disk: &dyn Disk, to: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut temporary = to.as_os_str().to_owned();
    temporary.push(TEMPORARY);
    let temporary = Path::new(&temporary);
    match disk.remove(temporary) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let written = disk.create(temporary).and_then(|file| file.write_at(0, bytes));
    written.and_then(|()| disk.rename(temporary, to)).inspect_err(|_| _ = disk.remove(temporary))
}
