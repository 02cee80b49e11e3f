//! What to do about findings in a repozo repository, where it differs from what is true of all sets.

use crate::finding::Code;

/// One sentence of advice; none where the general one fits.
pub(super) fn advice(code: Code) -> Option<&'static str> {
    Some(match code {
        Code::Missing => {
            "Copy the file back from another copy of the repository, or make a new full backup: highwater backup SRC REPO --full."
        }
        Code::Length | Code::Digest | Code::Encoding => {
            "Copy the file again from another copy of the repository; if this is the only one, make a new full backup now: \
             highwater backup SRC REPO --full."
        }
        Code::Malformed => {
            "Bring the .dat file back from another copy; the next backup starts a new full one and leaves this chain alone."
        }
        Code::NoIndex => {
            "Bring the .dat file back from another copy, or run the backup again: it finishes or replaces this chain. \
             Until then, `highwater repozo -R -r REPO -o TARGET` still restores what is there, unverified."
        }
        Code::Temporary => {
            "If no backup is running, it can be deleted; highwater's own are removed by its next backup."
        }
        _ => return None,
    })
}
