//! The report on a root that could not be looked at, which must not hide what is wrong with others.

use std::path::Path;

use highwater_core::codec::Flow;
use highwater_core::finding::{Code, Finding, Hurts};
use highwater_core::inspect::{Answer, Ask, Batch, Inspect};
use highwater_core::report::{Depth, Report};
use highwater_core::shard::Shard;
use highwater_core::survey::{Options, Survey};

use crate::error::Error;
use crate::store::Scheme;

/// The report on a root that could not be looked at.
pub(super) fn unread(label: &str, path: &Path, depth: Depth, strict: bool, error: &Error) -> Report {
    let shard = Shard::WHOLE;
    let options = Options { label: label.to_owned(), format: None, depth, strict, shard };
    let message = error.to_string();
    let finding = Finding { code: Code::Unreadable, object: None, offset: None, message, hurts: Hurts::All };
    let mut survey = Survey::new(Box::new(Nothing), options);
    survey.report(finding);
    let mut report = survey.finish();
    let advice = match (Scheme::of(path), path.metadata()) {
        (Some(far), _) => far.advice(),
        (None, Ok(found)) if found.is_dir() => "Name a folder that holds a backup, or leave this one out.",
        (None, Ok(_)) => "Name the folder of the backup, or leave this one out.",
        (None, Err(_)) => "See that the path is right and that its disk is mounted, then verify again.",
    };
    report.findings.iter_mut().for_each(|note| advice.clone_into(&mut note.advice));
    report
}

/// The inspection of a root that cannot be inspected.
struct Nothing;

impl Inspect for Nothing {
    fn ask(&self) -> Ask {
        Ask::Done
    }

    fn answer(&mut self, _: Answer<'_>, _: &mut Batch) -> Flow {
        Flow::Continue(())
    }

    fn again(&self) -> Box<dyn Inspect> {
        Box::new(Self)
    }
}
