//! What to do about findings in a repozo repository, where it differs from what is true of all sets.

use crate::finding::Code;

/// One sentence of advice; none where the general one fits.
pub(super) fn advice(code: Code) -> Option<&'static str> {
    Some(match code {
        Code::Missing => {
            "Copy the file back from another copy of the repository, or make a new full backup: highwater backup SRC \
             REPO --full."
        }
        Code::Length | Code::Digest | Code::Encoding => {
            "Copy the file again from another copy of the repository; if this is the only one, make a new full \
             backup now: highwater backup SRC REPO --full."
        }
        Code::Malformed => {
            "Bring the .dat file back from another copy; the next backup starts a new full one and leaves this chain \
             alone."
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

/// What else is true of a finding here, and of the original.
pub(super) fn notes(code: Code) -> Option<&'static str> {
    Some(match code {
        Code::Length => "A compressed file (.fsz, .deltafsz) is measured after decompression.",
        Code::Digest => "The digest is the MD5 on the object's line in the .dat file.",
        Code::Encoding => {
            "Python's repozo writes the last bytes of a gzip file after it has synced it, so that a power cut can \
             cost it just its end."
        }
        Code::Malformed => {
            "Each line of a .dat file needs a path, a start, an end and an MD5 of 32 hex digits; the finding names \
             the byte at which it fails."
        }
        Code::Gap => "Python's repozo does not look for gaps and restores such a chain without a complaint.",
        Code::Overlap => "A quick run of Python's repozo copies bytes once more that an unlisted increment holds.",
        Code::NoBase => "The full backup is a file that ends with .fs or .fsz.",
        Code::Unlisted => {
            "Do not run Python's repozo with --quick before that: it may store the same bytes twice (HW113)."
        }
        Code::NoIndex => "The index is the .dat file with the same time stamp as the full backup.",
        Code::Temporary => {
            "Python's repozo calls its work file tmp.tmp, leaves it behind when it fails, and shares it between runs \
             at the same time."
        }
        _ => return None,
    })
}
