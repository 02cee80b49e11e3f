//! What was dropped: the entries of one root.

use highwater_core::drive::listing;
use highwater_core::facts::Shape;
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

    /// What this looks like, as `{ format, colons, restores, files }`; undefined when it looks like no format.
    ///
    /// # Errors
    /// `internal`: it cannot be written.
    pub fn recognise(&self) -> Result<JsValue, JsValue> {
        let Some(format) = self.0.format() else { return Ok(JsValue::UNDEFINED) };
        let facts = format.facts();
        let restores = !matches!(facts.shape, Shape::Nothing | Shape::Tree);
        let files = facts.shape == Shape::Tree;
        Ok(object(&Known { format: facts.name, colons: facts.colons, restores, files })?)
    }
}
