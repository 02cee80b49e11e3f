//! `Tantivy`: indices of Tantivy.
//!
//! `meta.json`, which each commit replaces in one step, names the segments; a segment is files that are written before
//! that and never change. There is no log: what was not committed is not in a checkpoint. So the head is read, and what
//! it names is pinned; what a merge has removed by then calls for another try.

use highwater_core::inspect::Entry;
use highwater_core::name::Name;
use highwater_core::render::thousands;
use serde_json::Value;

use super::adapter::{Accepted, Adapter, Caught, Class, Content, Files, Head, Named, Passing, Stop, read_whole};
use super::held::Held;
use crate::disk::Disk;
use crate::error::Error;

/// The head.
const META: &str = "meta.json";

/// The files that the index may remove one day: a list of names.
const MANAGED: &str = ".managed.json";

/// What every segment has a file of (Tantivy 0.22 to 0.27, `index/segment_component.rs`).
const COMPONENTS: [&str; 6] = ["idx", "pos", "term", "store", "fast", "fieldnorm"];

/// The adapter, and up to which commit the head went at the last try.
#[derive(Default)]
pub(super) struct Tantivy {
    opstamp: Option<u64>,
    files: Files,
}

/// Whether it is a file of a segment, which begins with the segment's id.
fn is_of_segment(name: &[u8]) -> bool {
    name.get(..32).is_some_and(|id| id.iter().all(u8::is_ascii_hexdigit))
}

impl Adapter for Tantivy {
    fn kind(&self) -> &'static str {
        "tantivy"
    }

    fn recognise(&self, entries: &[Entry]) -> bool {
        let has = |name: &str| entries.iter().any(|entry| entry.name.as_bytes() == name.as_bytes());
        has(META) && has(MANAGED)
    }

    fn knows(&self, entry: &Entry) -> bool {
        let name = entry.name.as_bytes();
        is_of_segment(name) || [META, MANAGED].iter().any(|own| own.as_bytes() == name) || name.starts_with(b".tantivy-")
            // What is to take the place of a head.
            || name.starts_with(b".tmp")
    }

    fn settled(&self) -> fn(&Name) -> bool {
        |name| is_of_segment(name.as_bytes())
    }

    fn passing(&self) -> Option<Passing> {
        Some(|name| is_of_segment(name.as_bytes()).then_some(Class::File))
    }

    fn read(&mut self, store: &dyn Disk, _: &Held) -> Result<Head, Stop> {
        let (name, managed) = (Name::new(META.as_bytes()), Name::new(MANAGED.as_bytes()));
        let (name, managed) = (name.map_err(Error::from)?, managed.map_err(Error::from)?);
        let Some(bytes) = read_whole(store, &name)? else {
            return Err(Stop::Odd(format!("'{META}' is not there")));
        };
        let odd = |what: &str| Stop::Odd(format!("'{META}' {what}"));
        let meta: Value = serde_json::from_slice(&bytes).map_err(|error| odd(&format!("is no JSON: {error}")))?;
        self.opstamp = meta.get("opstamp").and_then(Value::as_u64);
        let segments = meta.get("segments").and_then(Value::as_array).ok_or_else(|| odd("names no segments"))?;
        let mut head = Head::default();
        for segment in segments {
            let id = segment
                .get("segment_id")
                .and_then(Value::as_str)
                .ok_or_else(|| odd("names a segment without an id"))?;
            let id: String = id.chars().filter(|digit| *digit != '-').collect();
            if id.len() != 32 || !id.bytes().all(|digit| digit.is_ascii_hexdigit()) {
                return Err(odd("names a segment whose id is none"));
            }
            let deletes = segment.get("deletes").and_then(|deletes| deletes.get("opstamp")).and_then(Value::as_u64);
            let deletes = deletes.map(|opstamp| format!("{opstamp}.del"));
            for part in COMPONENTS.iter().map(ToString::to_string).chain(deletes) {
                let file = Name::new(format!("{id}.{part}").as_bytes()).map_err(Error::from)?;
                head.named.push(Named::new(file));
            }
        }
        let mut names: Vec<String> = head.named.iter().map(|named| named.name.to_string()).collect();
        names.push(META.to_owned());
        let list = serde_json::to_vec(&names).map_err(|error| Error::failed(error.to_string()))?;
        self.files = vec![(name, Content::Bytes(bytes)), (managed, Content::Bytes(list))];
        Ok(head)
    }

    fn accept(&mut self, _: &dyn Disk, _: &Caught<'_>) -> Result<Accepted, Stop> {
        let commit = |opstamp| format!("commit {}", thousands(opstamp));
        let position = self.opstamp.map_or_else(|| "its newest commit".to_owned(), commit);
        Ok(Accepted { position, files: std::mem::take(&mut self.files) })
    }
}
