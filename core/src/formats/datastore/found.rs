//! What an inspection finds wrong with the indices themselves.

use super::index::Summary;
use super::manifest::File;
use crate::fault::{Fault, FaultKind};
use crate::finding::{Code, Finding, Hurts};
use crate::inspect::Batch;
use crate::name::Name;

/// Compares an index that was read to its end with what the manifest says of it.
pub(super) fn compare(name: &Name, file: &File, ordinal: u64, summary: &Summary, out: &mut Batch) {
    let Summary { size, sum, own, dirt } = summary;
    let mut tell = |code, at, message, hurts| out.findings.push(finding(code, name.clone(), at, message, hurts));
    let hurts = Hurts::One(ordinal);
    if *size != file.size {
        let message = format!("its archive has {size} bytes, the manifest says {}", file.size);
        tell(Code::Length, None, message, hurts);
    }
    if *sum != file.sum {
        tell(Code::Digest, None, format!("its checksum is {sum}, the manifest says {}", file.sum), hurts);
    }
    if let Some(own) = own.filter(|own| own != sum) {
        let message = format!("its header says that its checksum is {own}, and it is {sum}");
        tell(Code::Malformed, Some(32), message, hurts);
    }
    if dirt.is_some() {
        tell(Code::OddIndex, *dirt, "a reserved byte of its header is not zero".to_owned(), Hurts::Nothing);
    }
}

/// A finding on an object.
pub(super) fn finding(code: Code, object: Name, offset: Option<u64>, message: String, hurts: Hurts) -> Finding {
    Finding { code, object: Some(object), offset, message, hurts }
}

/// A finding on what nobody needs.
pub(super) fn stray(name: Name, why: &str) -> Finding {
    finding(Code::Stray, name, None, why.to_owned(), Hurts::Nothing)
}

/// What is said of something that cannot be read. A manifest or an index that is not there is missing.
pub(super) fn failed(object: Option<Name>, fault: Fault, hurts: Hurts) -> Finding {
    let (code, message) = match fault.kind {
        FaultKind::Absent if object.is_some() => (Code::Missing, "it is not there".to_owned()),
        FaultKind::Known => (Code::Stray, fault.message),
        FaultKind::Absent | FaultKind::Removed | FaultKind::Unreadable => (Code::Unreadable, fault.message),
    };
    Finding { code, object, offset: None, message, hurts }
}
