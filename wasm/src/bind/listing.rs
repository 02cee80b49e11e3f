//! What was dropped: the entries of one root.

use highwater_core::drive::listing;
use highwater_core::facts::Shape;
use highwater_core::formats;
use highwater_core::inspect::Kind;
use highwater_core::name::{Name, printable};
use serde::Serialize;
use wasm_bindgen::prelude::*;

use super::options::object;

/// The entries of one root.
#[wasm_bindgen]
#[derive(Default)]
pub struct Listing(pub(super) listing::Listing);

/// What a listing looks like.
#[derive(Serialize)]
struct Known {
    /// The name of the format.
    format: &'static str,
    /// It has names with colons.
    colons: bool,
    /// Points of it are restored; others are used as they lie.
    restores: bool,
    /// This module knows of the format no more than that.
    #[serde(skip_serializing_if = "Option::is_none")]
    beyond: Option<bool>,
    /// Its points are trees: single files of them are restored.
    files: bool,
}

#[wasm_bindgen]
impl Listing {
    /// No entries yet.
    #[wasm_bindgen(constructor)]
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds entries by their names, numbered from `first`; `kinds` has for each 0 (a file), 1 (a folder), 2 (a link
    /// that is not followed) or 3 (something else). A name that no backup could have is passed over.
    #[expect(clippy::needless_pass_by_value, reason = "that is how an array of texts comes")]
    pub fn add(&mut self, names: Vec<String>, kinds: &[u8], first: u32) {
        for ((name, kind), number) in names.iter().zip(kinds).zip(first..) {
            self.0.add(name, kind_of(*kind), number);
        }
    }

    /// Adds one by its name, which may be no UTF-8.
    #[wasm_bindgen(js_name = addBytes)]
    pub fn add_bytes(&mut self, name: &[u8], kind: u8, number: u32) {
        self.0.add_bytes(name, kind_of(kind), number);
    }

    /// A folder that was added is a link to another, or to the root where `to` is empty.
    pub fn lead(&mut self, name: &[u8], to: &[u8]) {
        if let Ok(name) = Name::new(name) {
            self.0.lead(name, Name::new(to).ok());
        }
    }

    /// What has this name, or the root where it is empty, cannot be read, and why.
    pub fn refuse(&mut self, name: &[u8], why: String) {
        self.0.refuse(Name::new(name).ok(), why);
    }

    /// A link is not followed: `to` is what it holds, and it leads out, or in a circle.
    #[wasm_bindgen(js_name = refuseLink)]
    pub fn refuse_link(&mut self, name: &[u8], to: &[u8], circle: bool) {
        let why = match circle {
            true => "which leads in a circle",
            false => "which lies outside; if you made it, allow it with --follow-links",
        };
        self.refuse(name, format!("'{}' is a link to '{}', {why}", printable(name), printable(to)));
    }

    /// What this looks like, as `{ format, colons, restores, files, beyond }`; undefined when it looks like no format.
    /// Of one that is beyond this module, nothing else is known.
    ///
    /// # Errors
    /// `internal`: it cannot be written.
    pub fn recognise(&self) -> Result<JsValue, JsValue> {
        let Some(kind) = self.0.kind() else { return Ok(JsValue::UNDEFINED) };
        let facts = formats::by_name(kind).map(|format| format.facts());
        Ok(object(&Known {
            format: kind,
            colons: facts.is_some_and(|facts| facts.colons),
            restores: facts.is_some_and(|facts| !matches!(facts.shape, Shape::Nothing | Shape::Tree)),
            files: facts.is_some_and(|facts| facts.shape == Shape::Tree),
            beyond: facts.is_none().then_some(true),
        })?)
    }
}

/// What an entry is, by a page's number for it.
fn kind_of(number: u8) -> Kind {
    match number {
        0 => Kind::File,
        1 => Kind::Folder,
        2 => Kind::Link,
        _ => Kind::Other,
    }
}
