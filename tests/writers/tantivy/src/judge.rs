//! The judge: opens a copy with the engine and compares all documents with those of the commit that it says it is.

use std::collections::BTreeMap;

use tantivy::schema::Value;
use tantivy::{Searcher, TantivyDocument};
use writer_common::{Options, Outcome, Rows};

use crate::index::{Documents, of_payload, text};

/// The last document of a good copy.
pub fn judge(options: &Options) -> Outcome<u64> {
    let documents = Documents::open(&options.folder).map_err(|error| format!("it does not open: {error}"))?;
    let metas = documents.index.load_metas()?;
    let (rows, last) = of_payload(metas.payload.as_deref(), options)?;
    let damaged = documents.index.validate_checksum()?;
    if !damaged.is_empty() {
        return Err(format!("checksums are wrong: {damaged:?}").into());
    }
    let searcher = documents.index.reader()?.searcher();
    let found = found(&documents, &searcher)?;
    compare(&rows, last, &found)?;
    Ok(last)
}

/// All living documents by their numbers.
fn found(documents: &Documents, searcher: &Searcher) -> Outcome<BTreeMap<u64, String>> {
    let mut found = BTreeMap::new();
    for segment in searcher.segment_readers() {
        let store = segment.get_store_reader(8)?;
        for id in segment.doc_ids_alive() {
            let document: TantivyDocument = store.get(id)?;
            let number = document.get_first(documents.number).and_then(|value| value.as_u64());
            let text = document.get_first(documents.text).and_then(|value| value.as_str().map(str::to_owned));
            let number = number.ok_or("a document has no number")?;
            if found.insert(number, text.ok_or("a document has no text")?).is_some() {
                return Err(format!("document {number} is there twice").into());
            }
        }
    }
    Ok(found)
}

/// Exactly the documents of the window are there.
fn compare(rows: &Rows, last: u64, found: &BTreeMap<u64, String>) -> Outcome<()> {
    for number in rows.present(last) {
        match found.get(&number) {
            None => return Err(format!("document {number} is not there, last is {last}").into()),
            Some(is) if *is != text(rows, number) => return Err(format!("document {number} has another text").into()),
            Some(_) => {}
        }
    }
    let wanted = rows.present(last).count();
    if found.len() != wanted {
        return Err(format!("{} documents are there where {wanted} belong, last is {last}", found.len()).into());
    }
    Ok(())
}
