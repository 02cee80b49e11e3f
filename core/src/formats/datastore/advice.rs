//! What to do about findings in a datastore, where it differs from what is true of all sets.

use crate::finding::Code;

/// One sentence of advice; none where the general one fits. In the `cache` of a bucket, chunks may lie in the bucket
/// alone.
pub(super) fn advice(code: Code, cache: bool) -> Option<&'static str> {
    Some(match code {
        Code::Missing => {
            "Bring it back from a copy of the store: `highwater heal STORE --from COPY` does that for chunks; \
             without a copy, the next backup of a machine stores what it still has of them again."
        }
        Code::Length | Code::Digest | Code::Encoding => {
            "Bring it back from a copy of the store: `highwater heal STORE --from COPY` does that for chunks; \
             without a copy, use the snapshots that it does not hurt."
        }
        Code::Malformed => {
            "Bring that file back from a copy of the store: its snapshot cannot be restored without it; others do \
             not need it."
        }
        Code::Record => {
            "Its chunks hold what was written, so the archive was wrong when it was made, or was made to be: see what \
             can be read of it with `highwater show STORE@SNAPSHOT/ARCHIVE`, use another snapshot, and back the \
             machine up again."
        }
        Code::Unverifiable if cache => {
            "Verify the store in its bucket for what the cache does not hold, and give the key of what is encrypted \
             with --keyfile."
        }
        Code::Unverifiable => {
            "Verify with the key that is named, --keyfile FILE; `highwater list` shows the key of each snapshot."
        }
        Code::Unfinished => {
            "If a backup is running, verify again when it is done; otherwise bring index.json.blob back from a copy \
             of the store, or remove the snapshot."
        }
        Code::Stray => "No snapshot that could be read needs it; look at it before you move it out of the store.",
        _ => return None,
    })
}
