//! The drop-in for Python's repozo (placeholder while the rest is brought up).
use super::exit::Exit;
use std::ffi::OsString;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
pub(super) fn run(_: &[OsString], _: &Arc<AtomicBool>) -> Exit {
    Exit::Usage
}
