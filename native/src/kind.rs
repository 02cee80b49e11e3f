//! Which kind a repository is of: as its user says, or as its entries look.

use highwater_core::formats;
use highwater_core::inspect::{Entry, Format};

use crate::error::Error;
use crate::shown::quoted;
use crate::store::Store;

/// The kind of a repository: as asked for, or as its entries look. Of one that looks like none, `instead` says what to
/// do, if it knows.
///
/// # Errors
/// When there is no kind of that name, or the entries look like none.
pub(crate) fn of(
    store: &dyn Store,
    asked: Option<&str>,
    instead: impl FnOnce() -> Option<String>,
) -> Result<&'static dyn Format, Error> {
    let path = quoted(&store.told(None));
    if let Some(kind) = asked {
        return formats::by_name(kind).ok_or_else(|| {
            let known: Vec<&str> = formats::ALL.iter().map(|format| format.facts().name).collect();
            Error::usage(format!("there is no kind of repository called '{kind}'; known: {}", known.join(", ")))
        });
    }
    let mut entries: Vec<Entry> = Vec::new();
    store.list(None, &mut |entry| entries.push(entry)).map_err(Error::cannot_list(store))?;
    let found = formats::recognise(&entries).next();
    found.ok_or_else(|| {
        let looks: Vec<&str> =
            formats::ALL.iter().map(|format| format.facts().looks).filter(|looks| !looks.is_empty()).collect();
        let next = instead().unwrap_or_else(|| looks.join("; "));
        Error::cannot_start(format!("{path} holds no backup of any kind that this program knows: {next}"))
    })
}
