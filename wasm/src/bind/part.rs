//! What a part of a check came to: its report, and whether the point that was asked for is there at all.

use highwater_core::codec::Flow;
use highwater_core::drive::Drive;
use highwater_core::finding::{Code, Finding, Hurts};
use highwater_core::inspect::{Answer, Ask, Batch, Inspect};
use highwater_core::render;
use highwater_core::report::Report;
use highwater_core::survey::{self, Survey};
use js_sys::{Object, Reflect, Uint8Array};
use wasm_bindgen::JsValue;

use super::options::Options;

/// The advice on a root in which the point is not.
const ADVICE: &str = "Name a folder that holds a backup, or leave this one out.";

/// The `report` of a part as the bytes of JSON. Where nothing in it speaks of the point that was asked for, `absent` is
/// the sentence that says so, and `instead` the report that hides no other root's.
pub(super) fn part(options: &Options, drive: Drive) -> Result<JsValue, JsValue> {
    let (absent, report) = drive.concluded();
    let nothing = report.sets.is_empty() && report.findings.is_empty() && report.removed.is_empty();
    let outcome = Object::new();
    if let Some(point) = options.point.as_deref().filter(|_| nothing) {
        let label = &options.label;
        let none = || format!("there is no point in time at or before {point} in {label}");
        let what = absent.map_or_else(none, |what| format!("{what} [in {label}]"));
        Reflect::set(&outcome, &"absent".into(), &what.as_str().into())?;
        Reflect::set(&outcome, &"instead".into(), &bytes(&unread(options.about()?, what)))?;
    }
    // It may be twenty megabytes long: as bytes it is handed over, as a text the page's thread would copy it twice.
    Reflect::set(&outcome, &"report".into(), &bytes(&report))?;
    Ok(outcome.into())
}

fn bytes(report: &Report) -> JsValue {
    Uint8Array::from(render::json(report).as_bytes()).into()
}

/// The report on a root that was not looked at, which must not hide what is wrong with others.
fn unread(about: survey::Options, message: String) -> Report {
    let mut survey = Survey::new(Box::new(Nothing), about);
    survey.report(Finding { code: Code::Unreadable, object: None, offset: None, message, hurts: Hurts::All });
    let mut report = survey.finish();
    report.findings.iter_mut().for_each(|note| ADVICE.clone_into(&mut note.advice));
    report
}

/// The inspection of a root that is not inspected.
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
