//! What was dropped: the entries of one root.

use highwater_core::drive::listing;
use highwater_core::facts::Shape;
use highwater_core::formats;
use highwater_core::inspect::Kind;
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

    /// Adds entries by their names, numbered from `first`; `folders` has 1 for each that is a folder. A name that no
    /// backup could have is passed over.
    #[expect(clippy::needless_pass_by_value, reason = "that is how an array of texts comes")]
    pub fn add(&mut self, names: Vec<String>, folders: &[u8], first: u32) {
        for ((name, folder), number) in names.iter().zip(folders).zip(first..) {
            self.0.add(name, if *folder == 1 { Kind::Folder } else { Kind::File }, number);
        }
    }

    /// What this looks like, as `{ format, colons, restores, files, beyond }`; undefined when it looks like no format. Of one
    /// that is beyond this module, nothing else is known.
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
