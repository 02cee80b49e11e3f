//! Answers one question of an inspection, for whoever only wants to know what its indices say.

use highwater_core::codec::Flow;
use highwater_core::inspect::{Answer, Ask, Stretch};
use highwater_core::name::Name;

use super::buffer;
use crate::error::Error;
use crate::store::{Store, fault};

/// Answers `ask` from a root. That an object cannot be read is an answer like any other.
///
/// # Errors
/// When a folder cannot be listed.
pub(crate) fn answer(store: &dyn Store, ask: Ask, give: &mut dyn FnMut(Answer<'_>) -> Flow) -> Result<(), Error> {
    match ask {
        Ask::Done => {}
        Ask::Writing(lock) => {
            let writing = store.is_locked(&Name::new(lock.name().as_bytes())?);
            _ = give(Answer::Writing(writing));
        }
        Ask::List(folder) => {
            let folder = folder.as_ref();
            let mut flow = Flow::Continue(());
            let listed = store.list(folder, &mut |entry| {
                if flow.is_continue() {
                    flow = give(Answer::Entries(&[entry]));
                }
            });
            listed.map_err(Error::of_folder("list", store, folder))?;
            if flow.is_continue() {
                _ = give(Answer::End);
            }
        }
        Ask::Read { object, stretch } => {
            let mut flow = Flow::Continue(());
            let read = store.open(&object).and_then(|object| {
                let range = stretch.range(if matches!(stretch, Stretch::End(_)) { object.length()? } else { u64::MAX });
                object.for_each_piece(range.start, range.end, &mut buffer(), |piece| {
                    flow = give(Answer::Bytes(piece));
                    flow.is_continue()
                })
            });
            if flow.is_continue() {
                _ = match read {
                    Ok(_) => give(Answer::End),
                    Err(error) => give(Answer::Failed(fault(&error))),
                };
            }
        }
    }
    Ok(())
}
