//! Puts a database together from pieces of which nothing but the bytes is known.

use std::io::{self, Write};

use highwater_core::name::Name;

use super::company::Company;
use super::{database, index, known, newest};
use crate::disk::{Appender, Disk};
use crate::error::Error;
use crate::restore::alone::{Alone, PART};
use crate::restore::full::{Begun, end, kept, like};
use crate::store::Store;
use crate::watch::Watch;

/// Restores to a file whose bytes `fill` puts together, and then puts an index beside it if there is a saved one.
/// Unless it may `give_up` whatever has that name, that must hold nothing that those bytes do not.
pub(crate) fn put_together(
    (from, saved): (&dyn Store, &Name),
    (to, target): (&dyn Disk, &Name),
    give_up: bool,
    watch: &Watch<'_>,
    fill: impl FnOnce(&mut dyn Write) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut alone = Alone::take(to, target, false, watch)?;
    let _database = database::keep_closed(to, target)?;
    let given_up = alone.is_given_up();
    let (draft, _) = alone.part(to, target, PART, watch)?;
    draft.file().set_length(0).map_err(Error::at("write", to, draft.work()))?;
    let filled = fill(&mut io::BufWriter::with_capacity(1 << 20, Appender { file: draft.file(), at: 0 }));
    if let Err(error) = filled {
        return Err(kept(error, to, target, draft));
    }
    let path = to.told(Some(draft.work()));
    match newest::contradiction(draft.file().as_object(), &path, watch) {
        Ok(None) => {}
        Ok(Some(what)) => {
            let what =
                format!("what is there does not fit together: {what}. A file is missing, damaged, or there twice");
            return Err(kept(Error::damage(what), to, target, draft));
        }
        Err(error) => return Err(kept(error, to, target, draft)),
    }
    if let Some(old) = alone.old.as_ref().filter(|_| !give_up) {
        known::of_file(old.file.as_object(), draft.file().as_object(), &to.told(Some(target)), watch)?;
    }
    let like = like((to, target), alone.old.as_ref(), given_up, &draft, watch)?;
    let replaces = alone.old.as_ref().map(|old| old.look.identity);
    let begun = Begun { draft, resumed: false, like, replaces, old: alone.old };
    let company = Company { to, target, records: None };
    let _held = end(begun, (to, target), 0, &company, watch)?;
    index::put_beside(from, saved, to, target, watch)
}
