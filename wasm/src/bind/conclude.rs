//! The end of a run: one report out of all parts of all roots, and the files of it. A report may name a hundred
//! thousand points, so this is no work for the page's own thread.

use highwater_core::render;
use highwater_core::report::{Report, Root};
use js_sys::{Array, JSON, Object, Reflect, Uint8Array};
use serde::Serialize;
use wasm_bindgen::prelude::*;
use web_sys::{Blob, BlobPropertyBag};

use super::fault::Fault;
use super::options::{depth_of, object};

/// A file of a report: the name the command line has for it, its type, and how it is written.
type File = (&'static str, &'static str, fn(&Report) -> String);

const FILES: [File; 5] = [
    ("json", "application/json", render::json),
    ("junit", "application/xml", render::junit),
    ("sarif", "application/sarif+json", render::sarif),
    ("summary", "text/markdown", render::summary),
    ("text", "text/plain", |report| render::text(report, false)),
];

/// How many points a root has.
#[derive(Serialize)]
struct Count<'a> {
    root: &'a str,
    points: usize,
}

/// What a run came to. `roots` has the parts' reports of each root, as the bytes of JSON. Gives the `report` as an
/// object, with so many of the newest points of each root as are `listed`, the `counts` of all, the verdict in a
/// `sentence`, and each of the `files` as a blob.
///
/// # Errors
/// `internal`: a part is no report.
#[wasm_bindgen]
#[expect(clippy::needless_pass_by_value, reason = "that is how arrays come")]
pub fn conclude(roots: Array, depth: &str, strict: bool, listed: Option<u32>) -> Result<JsValue, JsValue> {
    let (depth, mut whole) = (depth_of(Some(depth))?, None::<Report>);
    for root in roots.iter() {
        let mut together = Report::empty(depth, strict);
        for part in Array::from(&root).iter() {
            let text = String::from_utf8(Uint8Array::new(&part).to_vec()).map_err(Fault::internal)?;
            together = together.merge(render::from_json(&text).map_err(Fault::internal)?);
        }
        let before = whole.unwrap_or_else(|| Report::empty(depth, strict));
        whole = Some(before.merge(together.into_whole()));
    }
    let mut whole = whole.unwrap_or_else(|| Report::empty(depth, strict));
    let outcome = Object::new();
    let files = Array::new();
    for (kind, mime, write) in FILES {
        let about = BlobPropertyBag::new();
        about.set_type(mime);
        let blob = Blob::new_with_str_sequence_and_options(&Array::of1(&write(&whole).into()), &about)?;
        files.push(&Array::of2(&kind.into(), &blob));
    }
    let text = render::text(&whole, false);
    let counts: Vec<Count<'_>> = whole.roots.iter().map(|root| counted(&whole, root)).collect();
    Reflect::set(&outcome, &"counts".into(), &object(&counts)?)?;
    Reflect::set(&outcome, &"sentence".into(), &text.lines().next_back().unwrap_or_default().into())?;
    Reflect::set(&outcome, &"files".into(), &files)?;
    if let Some(listed) = listed {
        keep(&mut whole, listed as usize);
    }
    // The browser's own reader of JSON makes the object: it is made of the very text, numbers and order included.
    Reflect::set(&outcome, &"report".into(), &JSON::parse(&render::json(&whole))?)?;
    Ok(outcome.into())
}

fn counted<'a>(report: &Report, root: &'a Root) -> Count<'a> {
    Count { root: &root.label, points: report.sets.iter().filter(|set| set.root == root.label).count() }
}

/// Keeps so many of the last points of each root.
fn keep(report: &mut Report, newest: usize) {
    let mut left: std::collections::HashMap<String, usize> = std::collections::HashMap::new();
    let mut kept: Vec<_> = std::mem::take(&mut report.sets).into_iter().rev().collect();
    kept.retain(|set| {
        let seen = left.entry(set.root.clone()).or_default();
        *seen += 1;
        *seen <= newest
    });
    kept.reverse();
    report.sets = kept;
}
