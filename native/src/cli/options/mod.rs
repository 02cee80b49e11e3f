//! Groups of options that several verbs have, a file each.

mod bandwidth;
mod depth;
mod following;
mod json;
mod keys;
pub(super) mod kinds;
pub(super) mod of_kind;
mod report_files;
mod root;
mod talk;
mod watched;
mod writing;

pub(super) use bandwidth::Bandwidth;
pub(super) use depth::Depth;
pub(super) use following::Following;
pub(super) use json::Json;
pub(super) use keys::Keys;
pub(super) use of_kind::OfKind;
pub(super) use report_files::ReportFiles;
pub(super) use root::Root;
pub(super) use talk::Talk;
pub(super) use watched::Watched;
pub(super) use writing::Writing;
