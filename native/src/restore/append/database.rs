//! The lock by which a database says that it is open.

use highwater_core::name::Name;

use crate::disk::{Disk, Held};
use crate::error::Error;
use crate::lock;
use crate::shown::quoted;
use crate::store::Locks;

/// Keeps ZODB from opening the target while it is being written: ZODB holds a lock on `TARGET.lock` while a
/// FileStorage is open. Returns the lock; none when there is no such file, as no ZODB ever opened the target.
pub(in crate::restore) fn keep_closed(to: &dyn Disk, target: &Name) -> Result<Option<Held>, Error> {
    let (path, name) = (quoted(&to.told(Some(target))), Name::new(&[target.as_bytes(), b".lock"].concat())?);
    let lock_path = quoted(&to.told(Some(&name)));
    let unknown = |error: std::io::Error| {
        Err(Error::cannot_start(format!("cannot tell whether the database {path} is open: {lock_path}: {error}")))
    };
    let file = match to.open_to_hold(&name) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return unknown(error),
    };
    match file.try_lock() {
        Ok(true) => Ok(Some(Box::new(file))),
        Err(error) if error.kind() == std::io::ErrorKind::Unsupported && to.locks() != Locks::Needed => Ok(None),
        Err(error) if error.kind() == std::io::ErrorKind::Unsupported => {
            Err(lock::cannot(to, Some(&name), "lock", &error))
        }
        Err(error) => unknown(error),
        Ok(false) => Err(Error::cannot_start(format!(
            "the database {path} is open: a process holds {lock_path}; stop it first, or restore to another file"
        ))),
    }
}
