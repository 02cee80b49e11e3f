//! What is wrong with a store, as findings.

use super::Odd;
use crate::fault::{Fault, FaultKind};
use crate::finding::{Code, Finding, Hurts};
use crate::name::Name;

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
pub(super) fn failed(object: Name, fault: Fault) -> Finding {
    match fault.kind {
        FaultKind::Absent => finding(Code::Missing, object, None, "it is not there"),
        FaultKind::Known | FaultKind::Removed | FaultKind::Unreadable => {
            finding(Code::Unreadable, object, None, fault.message)
        }
    }
}
