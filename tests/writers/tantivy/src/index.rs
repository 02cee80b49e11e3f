//! The schema: a document has its number and its text.

use std::path::Path;

use tantivy::schema::{FAST, Field, INDEXED, STORED, Schema};
use tantivy::{Index, TantivyDocument};
use writer_common::{Options, Outcome, Rows};

/// An index, and the fields of its documents.
pub struct Documents {
    pub index: Index,
    pub number: Field,
    pub text: Field,
}

/// The documents' text follows from their numbers.
pub const PLACE: &str = "document";

impl Documents {
    /// Open an index that is there.
    pub fn open(folder: &Path) -> Outcome<Self> {
        let index = Index::open_in_dir(folder)?;
        let schema = index.schema();
        Ok(Self { number: schema.get_field("number")?, text: schema.get_field("text")?, index })
    }

    /// Open an index, or create it.
    pub fn open_or_create(folder: &Path) -> Outcome<Self> {
        if folder.join("meta.json").is_file() {
            return Self::open(folder);
        }
        std::fs::create_dir_all(folder)?;
        let mut schema = Schema::builder();
        schema.add_u64_field("number", INDEXED | FAST | STORED);
        schema.add_text_field("text", STORED);
        Index::create_in_dir(folder, schema.build())?;
        Self::open(folder)
    }

    /// Document `number`.
    pub fn document(&self, rows: &Rows, number: u64) -> TantivyDocument {
        let mut document = TantivyDocument::new();
        document.add_u64(self.number, number);
        document.add_text(self.text, text(rows, number));
        document
    }
}

/// The text of document `number`: the row in hexadecimal digits.
pub fn text(rows: &Rows, number: u64) -> String {
    rows.row(PLACE, number).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What a commit carries: the last document, and the shape of all.
pub fn payload(rows: &Rows, last: u64) -> String {
    format!("{last} {}", rows.shape())
}

/// The payload of a commit, or that of an index which has none.
pub fn of_payload(payload: Option<&str>, options: &Options) -> Outcome<(Rows, u64)> {
    let Some(payload) = payload else { return Ok((Rows::new(options.window, options.row), 0)) };
    let (last, shape) = payload.split_once(' ').ok_or("the payload of the commit is none of ours")?;
    Ok((Rows::of_shape(shape.as_bytes()).ok_or("the payload holds no shape")?, last.parse()?))
}
