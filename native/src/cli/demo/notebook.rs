//! The database of the demo: a notebook whose pages are written and rewritten, the same in every run.

use highwater_core::filestorage::{About, Compose, Oid};

use super::pickle::{MOST_ITEMS, Value, mapping};
use crate::error::Error;

/// 2025-03-03 09:00 UTC in the form of a transaction id: minutes, counted in months of 31 days, in its upper half.
const FIRST_MINUTE: u64 = (((125 * 12 + 2) * 31 + 2) * 24 + 9) * 60;

const ROOT: Oid = 0;
const CONTENTS: Oid = 1;

/// A notebook, and the file that it is written to.
pub(super) struct Notebook {
    file: Compose,
    random: u64,
    transactions: u64,
    pages: Vec<Page>,
}

struct Page {
    oid: Oid,
    revision: u8,
}

impl Notebook {
    /// An empty notebook, and the first bytes of its `Data.fs`.
    pub(super) fn open() -> Result<(Self, Vec<u8>), Error> {
        let mut notebook =
            Self { file: Compose::new(), random: 0x9e37_79b9_7f4a_7c15, transactions: 0, pages: Vec::new() };
        let mut bytes = Compose::MAGIC.to_vec();
        bytes.extend(notebook.commit("initial database creation", &[(ROOT, mapping(&[]))])?);
        let root = [
            ("title".to_owned(), Value::Text("A notebook made by highwater demo".to_owned())),
            ("contents".to_owned(), Value::Mapping(CONTENTS)),
        ];
        bytes.extend(notebook.commit("open the notebook", &[(ROOT, mapping(&root)), (CONTENTS, mapping(&[]))])?);
        Ok((notebook, bytes))
    }

    /// The next transactions: two new pages for each page that is written anew.
    pub(super) fn grow(&mut self, transactions: usize) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        for _ in 0..transactions {
            let chosen = self.below(self.pages.len());
            let rewrite = self.random.is_multiple_of(3) || self.pages.len() >= MOST_ITEMS;
            bytes.extend(match self.pages.get_mut(chosen).filter(|_| rewrite) {
                Some(page) => {
                    page.revision = page.revision.saturating_add(1);
                    let (oid, revision) = (page.oid, page.revision);
                    let page = self.page(chosen, revision);
                    self.commit(&format!("rewrite page {}", chosen + 1), &[(oid, page)])?
                }
                None => self.add_page()?,
            });
        }
        Ok(bytes)
    }

    /// How many transactions there are.
    pub(super) fn transactions(&self) -> u64 {
        self.transactions
    }

    /// How many objects there are.
    pub(super) fn objects(&self) -> u64 {
        self.file.index().len()
    }

    fn add_page(&mut self) -> Result<Vec<u8>, Error> {
        let number = self.pages.len();
        let oid = CONTENTS + 1 + number as u64;
        self.pages.push(Page { oid, revision: 1 });
        let page = self.page(number, 1);
        let name = |(number, page): (usize, &Page)| (format!("page-{}", number + 1), Value::Mapping(page.oid));
        let contents: Vec<_> = self.pages.iter().enumerate().map(name).collect();
        self.commit(&format!("write page {}", number + 1), &[(CONTENTS, mapping(&contents)), (oid, page)])
    }

    fn page(&mut self, number: usize, revision: u8) -> Vec<u8> {
        let length = 500 + self.below(20_000);
        let drawing = (0..length.div_ceil(8)).flat_map(|_| self.next().to_le_bytes()).take(length).collect();
        mapping(&[
            ("title".to_owned(), Value::Text(format!("Page {}", number + 1))),
            ("revision".to_owned(), Value::Number(revision)),
            ("drawing".to_owned(), Value::Bytes(drawing)),
        ])
    }

    fn commit(&mut self, description: &str, objects: &[(Oid, Vec<u8>)]) -> Result<Vec<u8>, Error> {
        let writes: Vec<(Oid, &[u8])> = objects.iter().map(|(oid, data)| (*oid, data.as_slice())).collect();
        // Seven minutes and some seconds after the one before.
        let tid = (FIRST_MINUTE + 7 * self.transactions) << 32 | self.next() >> 32;
        let about = About { tid, user: b"/ jane", description: description.as_bytes(), extension: b"" };
        let bytes = self.file.transaction(&about, &writes);
        self.transactions += 1;
        bytes.map_err(|unfit| Error::failed(format!("cannot write the demo's database: {unfit}")))
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() >> 33).unwrap_or(0) % limit.max(1)
    }

    /// The next number of an xorshift generator.
    fn next(&mut self) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random
    }
}

#[cfg(test)]
mod tests {
    use highwater_core::filestorage::{Audit, State, Stop, Walk};

    use super::*;

    #[test]
    fn a_notebook_is_a_sound_file_storage_and_the_same_in_every_run() {
        let write = || {
            let (mut notebook, mut bytes) = Notebook::open().unwrap();
            bytes.extend(notebook.grow(30).unwrap());
            bytes.extend(notebook.grow(20).unwrap());
            (notebook, bytes)
        };
        let (notebook, bytes) = write();
        assert_eq!(bytes, write().1);
        let end = bytes.len() as u64;
        let mut audit = Audit::default();
        let mut walk = Walk::new(0, end);
        walk.push(&bytes, &mut audit);
        assert_eq!(walk.state(), State::Stopped { at: end, why: Stop::Eof });
        assert_eq!(audit.take(), []);
        assert_eq!(audit.index(), notebook.file.index());
        assert_eq!(notebook.transactions(), 52);
        assert!((20..50).contains(&notebook.pages.len()), "pages are both written and rewritten");
        assert_eq!(notebook.objects(), 2 + notebook.pages.len() as u64);
    }
}
