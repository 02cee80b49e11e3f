//! What a part of a check came to: its report, and whether the point that was asked for is there at all.

use highwater_core::drive::Drive;
use highwater_core::render;
use highwater_core::report::Report;
use highwater_core::unread::unread;
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
        Reflect::set(&outcome, &"instead".into(), &bytes(&unread(options.about()?, what, ADVICE)))?;
    }
    // It may be twenty megabytes long: as bytes it is handed over, as a text the page's thread would copy it twice.
    Reflect::set(&outcome, &"report".into(), &bytes(&report))?;
    Ok(outcome.into())
}

fn bytes(report: &Report) -> JsValue {
    Uint8Array::from(render::json(report).as_bytes()).into()
}
