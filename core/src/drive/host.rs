//! `Host`, whose reads are answered at once, as a disk's are: [`verify`] and [`restore`] ask it all that has to be
//! asked.

use std::ops::ControlFlow;

use super::Drive;
use super::listing::Listing;
use super::reader::{Answer, Want, What};
use super::restore::Restore;
use crate::inspect::{Format, Of, Scope};
use crate::key::Key;
use crate::point::Point;
use crate::report::{Depth, Report};
use crate::survey::{Options, Survey};

/// The files of one root, by the numbers that its [`Listing`] gives them. What it cannot read is inconclusive in a
/// report, and never damage.
pub trait Host {
    /// How long a file is, in bytes.
    ///
    /// # Errors
    /// Why it cannot be known, in a sentence.
    fn length(&mut self, file: u32) -> Result<u64, String>;

    /// Bytes of a file from the offset `at` on, `most` of them or fewer. None are given only where it ends.
    ///
    /// # Errors
    /// Why they cannot be read, in a sentence.
    fn read(&mut self, file: u32, at: u64, most: u64) -> Result<Vec<u8>, String>;

    /// Whether a file is still what it was when the listing was made: asked of what looks damaged. A host that cannot
    /// know says that it is.
    ///
    /// # Errors
    /// It was replaced or changed, in a sentence.
    fn confirm(&mut self, file: u32) -> Result<(), String> {
        let _ = file;
        Ok(())
    }
}

/// Checks all of a root, which the report calls `label`.
pub fn verify(
    host: &mut dyn Host,
    (format, key): (&'static dyn Format, Option<Key>),
    listing: Listing,
    label: &str,
    depth: Depth,
) -> Report {
    let scope = Scope::new(Of::All).trailing(depth >= format.facts().trails).keyed(key);
    let mut drive =
        Drive::new(Survey::new(format.inspect(&scope), Options::whole(format, label, depth)), depth, listing);
    drive.step();
    while !drive.is_done() {
        let wants = drive.wants();
        if wants.is_empty() {
            // What was not checked by now is inconclusive.
            break;
        }
        for want in wants {
            drive.answer(want.id, answer(host, want));
        }
        drive.step();
    }
    drive.finish()
}

/// Restores the newest point at or before `point`, as [`Format::point`] reads it. Every piece that is given was
/// checked; what fails later makes all of them worthless.
///
/// # Errors
/// Why the point cannot be restored, in a sentence; none of its bytes is to be used then. What `give` breaks with.
pub fn restore(
    host: &mut dyn Host,
    (format, key): (&'static dyn Format, Option<Key>),
    listing: Listing,
    point: Point,
    give: &mut dyn FnMut(&[u8]) -> ControlFlow<String>,
) -> Result<(), String> {
    let mut restore = Restore::new(format, point, key, listing);
    loop {
        while let Some(bytes) = restore.step()? {
            if let ControlFlow::Break(why) = give(&bytes) {
                return Err(why);
            }
        }
        if restore.is_done() {
            return Ok(());
        }
        let wants = restore.wants();
        if wants.is_empty() {
            return Err("it cannot be restored to its end".to_owned());
        }
        for want in wants {
            restore.answer(want.id, answer(host, want));
        }
    }
}

fn answer(host: &mut dyn Host, want: Want) -> Answer {
    let answered = match want.what {
        What::Length => host.length(want.file).map(Answer::Length),
        What::Bytes { at, length } => host.read(want.file, at, length).map(|mut bytes| {
            bytes.truncate(usize::try_from(length).unwrap_or(usize::MAX));
            if bytes.is_empty() { Answer::Last(bytes) } else { Answer::Bytes(bytes) }
        }),
        What::Unchanged => host.confirm(want.file).map(|()| Answer::Unchanged),
        What::Digest => Err("this host makes no digests".to_owned()),
    };
    answered.unwrap_or_else(Answer::Failed)
}
