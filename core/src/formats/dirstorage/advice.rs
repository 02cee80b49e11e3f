//! What to do about findings in a store, where it differs from what is true of all sets.

use crate::finding::Code;

/// One sentence of advice; none where the general one fits.
pub(super) fn advice(code: Code) -> Option<&'static str> {
    Some(match code {
        Code::Missing => {
            "Look for it under the same name with -<time>-deleted behind it, which a pack leaves for ten days, and rename \
             it; or bring it back from a copy of the store."
        }
        Code::Length | Code::Digest | Code::Record => {
            "Bring that file back from a copy of the store: a revision or a transaction is never written again, so any \
             copy of it is as good; pack nothing before."
        }
        Code::Malformed => {
            "Bring that file back from a copy of the store of the same time, or let checkds tell more; pack nothing \
             before."
        }
        Code::Unverifiable => {
            "Compare it with another copy; with `write: 1` in the section md5policy of config/settings, the storage puts \
             an MD5 into whatever it writes from then on."
        }
        Code::OddRecord => {
            "Compare it with another copy of the store; after a pack that was interrupted, pack again, and it should be \
             gone."
        }
        Code::OddIndex => "Nothing is lost; bring that file back from a copy of the store, as the disk may be failing.",
        _ => return None,
    })
}

/// What else is true of a finding here.
pub(super) fn notes(code: Code) -> Option<&'static str> {
    Some(match code {
        Code::Missing => {
            "What is older than the last pack may be missing, and is not looked for. A pack that was interrupted may \
             leave a revision that nothing says is current, or the other way round, of an object that nothing leads to."
        }
        Code::Pending => {
            "A copy of the folder A alone does not have these transactions. The storage moves them into it when it is \
             started, and when it leaves snapshot mode."
        }
        _ => return None,
    })
}
