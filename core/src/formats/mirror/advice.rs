//! What to do about findings in a mirror, where it differs from what is true of all sets; and what its digests
//! prove.

use crate::digest::Algorithm;
use crate::finding::Code;

/// One sentence of advice; none where the general one fits.
pub(super) fn advice(code: Code) -> Option<&'static str> {
    Some(match code {
        Code::Missing | Code::Length | Code::Digest => {
            "Bring the file back from another copy of the mirror (`highwater heal DIR --from COPY`), or from the bucket: \
             `aws s3api get-object` with its key and version. No sync fetches again what the index has."
        }
        Code::Malformed => {
            "Bring .highwater-mirror back from another copy of the mirror. The files themselves are plain: with that \
             folder moved away, `highwater mirror sync --take-over` takes over those that the bucket still lists, and \
             the older points are gone."
        }
        Code::NoIndex => "Sync again: the first sync into this folder has not come to its end.",
        Code::Moved => "Verify again when no sync is running.",
        _ => return None,
    })
}

/// What else is true of a finding in a mirror.
pub(super) fn notes(code: Code) -> Option<&'static str> {
    Some(match code {
        Code::Digest => {
            "An MD5 or an ETag is what S3 recorded. A SHA-256 is of what arrived when the object was fetched, as S3 \
             recorded nothing that its bytes could be compared with: it proves that the file is as received."
        }
        Code::NotHad => "The file .highwater-mirror/wanted says why, a line for each.",
        _ => return None,
    })
}

/// What a digest of a kept version proves: an MD5 or an ETag is S3's own record, a SHA-256 was made as it arrived.
pub(super) fn proves(digest: Algorithm) -> Option<&'static str> {
    match digest {
        Algorithm::Md5 | Algorithm::Etag { .. } => Some("as S3 recorded"),
        Algorithm::Sha256 => Some("as received"),
        _ => None,
    }
}
