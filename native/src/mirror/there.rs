//! What lies there already: a version that a killed run put into its place, or another program's mirror.

use std::io;

use highwater_core::formats::mirror::index::Proof;
use highwater_core::formats::mirror::names;
use highwater_core::formats::mirror::plan::Wish;
use highwater_core::formats::mirror::plan::outcome::Had;
use highwater_core::inventory::Etag;
use highwater_core::name::Name;

use super::area::Area;
use super::body::{Outcome, of_file};
use crate::disk::{Look, What};
use crate::error::Error;

/// What is known of the file of this name, if it is what is wanted. `by_time`: of one whose bytes nothing proves, its
/// time does, as another program set it that mirrored it before us.
///
/// # Errors
/// It cannot be read.
pub(super) fn found(area: &Area<'_>, wish: &Wish, at: &Name, by_time: bool) -> Result<Option<Had>, Error> {
    let Some((look, outcome)) = held(area, wish, at, &Etag::parse(&wish.etag))? else { return Ok(None) };
    let had = match outcome {
        Outcome::Is(had @ Had { own: None, .. }) => Some(had),
        Outcome::Is(had) => (by_time && look.modified.0 == wish.modified.0).then_some(had),
        Outcome::IsNot => None,
    };
    if had.is_some() {
        touch(area, wish, at, &look)?;
    }
    Ok(had)
}

/// Whether the bytes that arrived lie in their place already, which nothing but they could tell.
///
/// # Errors
/// As [`found`].
pub(super) fn is_the_same(area: &Area<'_>, wish: &Wish, at: &Name, had: Had) -> Result<bool, Error> {
    if had.own.is_none() {
        return Ok(false);
    }
    let Some((look, outcome)) = held(area, wish, at, &Etag::Other(b""))? else { return Ok(false) };
    let is_same = outcome == Outcome::Is(Had { proof: Proof::Nothing, ..had });
    if is_same {
        touch(area, wish, at, &look)?;
    }
    Ok(is_same)
}

/// Where s3invsync put a version that ours calls otherwise.
pub(super) fn before(wish: &Wish) -> Option<Name> {
    let old = (!wish.latest).then_some((&*wish.version, &*wish.etag));
    names::before(&wish.key, old).filter(|name| wish.place().as_ref() != Some(name))
}

/// What a file holds, held against an ETag; none if it is of another length, or no file.
fn held(area: &Area<'_>, wish: &Wish, at: &Name, etag: &Etag<'_>) -> Result<Option<(Look, Outcome)>, Error> {
    let disk = area.disk;
    let look = match disk.look(Some(at)) {
        // A file lies where a folder should.
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => None,
        look => look.map_err(Error::at("look at", disk, at))?,
    };
    let Some(look) = look.filter(|look| look.what == What::File && look.length == wish.size) else { return Ok(None) };
    let object = disk.open(at).map_err(Error::at("open", disk, at))?;
    let outcome = of_file(&*object, etag, wish.size).map_err(Error::at("read", disk, at))?;
    Ok(outcome.map(|outcome| (look, outcome)))
}

/// Sets when it was written, if that is another time.
fn touch(area: &Area<'_>, wish: &Wish, at: &Name, look: &Look) -> Result<(), Error> {
    if look.modified == wish.modified {
        return Ok(());
    }
    let file = area.disk.open_for_writing(at).map_err(Error::at("open", area.disk, at))?;
    file.set_modified(wish.modified).map_err(Error::at("set the time of", area.disk, at))
}
