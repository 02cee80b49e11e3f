//! What to do about findings in a store, where it differs from what is true of all sets.

use crate::finding::Code;

/// One sentence of advice; none where the general one fits.
pub(super) fn advice(code: Code) -> Option<&'static str> {
    Some(match code {
        Code::Missing => {
            "Bring it back from a copy of the store of the same time: the engine does not open the store without what \
             the MANIFEST names."
        }
        Code::Length | Code::Digest | Code::Encoding => {
            "Bring that file back from a copy of the store; the engine opens the store with it, and fails at whatever \
             is read from the part that is damaged."
        }
        Code::Malformed => {
            "Bring that file back from a copy of the store before its program opens it again: the engine does not open \
             it, or drops what it cannot read."
        }
        Code::Unverifiable => {
            "Have the store's own engine verify it (RocksDB's VerifyChecksum, or ldb checkconsistency); nothing that \
             lies in the store tells whether it is right."
        }
        Code::OddIndex => "Nothing is lost; bring that file back from a copy of the store, as the disk may be failing.",
        _ => return None,
    })
}

/// What else is true of a finding here.
pub(super) fn notes(code: Code) -> Option<&'static str> {
    Some(match code {
        Code::Missing => {
            "A table, a blob file or a log may also lie in another folder (db_paths, cf_paths, wal_dir), which is not \
             looked at."
        }
        Code::Digest => {
            "The checksum is the one behind the block; the finding names the byte at which the block begins."
        }
        Code::TornTail => "A MANIFEST that ends inside an atomic group of edits is reported so as well.",
        _ => return None,
    })
}
