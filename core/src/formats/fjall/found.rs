//! What is wrong with a store, as findings.

use crate::fault::{Fault, FaultKind};
use crate::finding::{Code, Finding, Hurts};
use crate::name::Name;

use super::Odd;

/// The one set of a store.
pub(super) const STORE: Hurts = Hurts::One(0);

/// A finding on an object.
pub(super) fn finding(code: Code, object: Name, offset: Option<u64>, message: impl Into<String>) -> Finding {
    Finding { code, object: Some(object), offset, message: message.into(), hurts: STORE }
}

/// What cannot be understood of an object.
pub(super) fn malformed(object: Name, odd: Odd) -> Finding {
    finding(Code::Malformed, object, Some(odd.at), odd.what)
}

/// What is said of something that cannot be read. What is not there is missing.
pub(super) fn failed(object: Option<Name>, fault: Fault) -> Finding {
    let (code, message) = match fault.kind {
        FaultKind::Absent if object.is_some() => (Code::Missing, "it is not there".to_owned()),
        FaultKind::Absent | FaultKind::Known | FaultKind::Removed | FaultKind::Unreadable => {
            (Code::Unreadable, fault.message)
        }
    };
    Finding { code, object, offset: None, message, hurts: STORE }
}
