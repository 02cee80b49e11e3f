//! S3 Inventory: what a bucket held at a moment, as lists that S3 itself writes into a bucket, once a day or a week.
//!
//! ```text
//! PREFIX/SOURCE/ID/2024-11-06T01-00Z/manifest.json       which lists belong together, and what their columns are
//! PREFIX/SOURCE/ID/2024-11-06T01-00Z/manifest.checksum   the MD5 of that, in hexadecimal digits
//! PREFIX/SOURCE/ID/data/UUID.csv.gz                      a list: gzip, a row a line, no names of columns
//! PREFIX/SOURCE/ID/data/UUID.parquet                     or a table, whose keys are not encoded
//! ```
//!
//! A [`Manifest`] gives a [`Schema`], and by that [`Rows`] reads each list, or [`parquet::Reader`] does. The lists of
//! all moments lie in one folder, so only a manifest says which belong together. The folder's name is the start of the
//! scan; what was written or deleted shortly before may be in it or not ("rolling snapshot", eventually consistent):
//! two rows of a key may both be the latest, and a version that is listed may be gone.
//!
//! Nothing says that keys are sorted, neither within a list nor over all of them; most often they are. [`Order`] and
//! [`Span`] find out, on the bytes of the decoded keys, in which S3 itself lists them.
//!
//! Facts are those of the S3 User Guide ("Amazon S3 Inventory list", "Locating your inventory list") and of the lists
//! of the bucket `dandiarchive`.

mod manifest;
mod order;
pub mod parquet;
mod row;
mod rows;
mod schema;
mod value;

pub use manifest::{File, Manifest, NoManifest, checksum};
pub use order::{Order, Span, groups};
pub use row::{Encryption, Etag, LONGEST_KEY, Means, Row};
pub use rows::{Bad, Rows};
pub use schema::{Column, Kind, Schema};
