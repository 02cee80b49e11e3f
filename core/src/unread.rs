//! `unread`: the report on a root that could not be looked at, which must not hide what is wrong with others.

use crate::codec::Flow;
use crate::finding::{Code, Finding, Hurts};
use crate::inspect::{Answer, Ask, Batch, Inspect};
use crate::report::Report;
use crate::survey::{Options, Survey};

/// The report on a root that could not be looked at: why, and what to do about it.
#[must_use]
pub fn unread(options: Options, message: String, advice: &str) -> Report {
    let mut survey = Survey::new(Box::new(Nothing), options);
    survey.report(Finding { code: Code::Unreadable, object: None, offset: None, message, hurts: Hurts::All });
    let mut report = survey.finish();
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
