//! What to do about findings in a store, where it differs from what is true of all sets.

use crate::finding::Code;

/// One sentence of advice; none where the general one fits.
pub(super) fn advice(code: Code) -> Option<&'static str> {
    Some(match code {
        Code::Missing => {
            "Bring it back from a copy of the store before its program opens it again: fjall may remove what it cannot \
             account for."
        }
        Code::Length | Code::Digest => {
            "Bring that file back from a copy of the store; fjall opens a store with it, and fails at whatever is read \
             from the part that is damaged."
        }
        Code::Malformed => {
            "Bring that file back from a copy of the store before its program opens it again: fjall does not open it, \
             or cuts off what it cannot read."
        }
        Code::Unverifiable => {
            "If that table is damaged, bring it back from a copy of the store; otherwise a newer fjall wrote it: verify \
             with a newer highwater."
        }
        Code::OddRecord => {
            "Compare the journal with another copy; after a keyspace was dropped, fjall itself may give a number again."
        }
        _ => return None,
    })
}
