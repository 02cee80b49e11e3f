//! Highwater's engine: turns backup indices into claims and checks stored bytes against them.
//!
//! Nothing here reads a file, looks at a clock or starts a thread: a host (the native command, a
//! browser worker, a fuzz target) feeds bytes in and takes findings out. The way of the data is
//!
//! ```text
//! bytes -> Inspect (a format) -> claims, trails, nodes -> Check / Follow -> verdicts -> Survey -> Report -> render
//! ```
//!
//! A **claim** says "these stored bytes, decoded so, have this length and this digest"; a
//! **trail** says "these objects, read one after another, agree with each other"; a **node** says what a restored tree
//! has beside bytes. A format, which is a folder in [`formats`], turns index bytes into them; nothing else in the
//! program knows a format, and no format knows a hasher, a thread, a file, a report or a renderer.
//!
//! A host that reads at once, as files let it, feeds a [`survey`] itself; one whose reads are begun and answered later,
//! in any order, answers a [`drive`].
//!
//! Each format is a feature of its name, all of them by default. Whoever verifies one kind alone takes that one, and
//! with it no package that only others need:
//!
//! ```toml
//! highwater-core = { version = "0.1", default-features = false, features = ["repozo"] }
//! ```
//!
//! What is beside formats: `pbs-keys` opens what clients encrypted, `json` writes and reads reports as JSON and SARIF,
//! and `sha2` lets one stream of SHA-256 use the processor's instructions.
//!
//! What an index says is hostile until parsed: no count is allocated unseen, nothing panics, and
//! memory does not grow with what an index asks for.
//!
//! # In a program of one's own
//!
//! A host whose reads are answered at once is a [`Host`](drive::host::Host); [`verify`](drive::host::verify) asks it
//! all that has to be asked. Here it has a repository of one full backup in memory; `examples/verify.rs` reads a
//! folder.
//!
//! ```
//! use highwater_core::drive::{host, listing::Listing};
//! use highwater_core::inspect::Kind;
//! use highwater_core::report::{Depth, Soundness};
//!
//! struct Memory([(&'static str, &'static [u8]); 2]);
//!
//! impl host::Host for Memory {
//!     fn length(&mut self, file: u32) -> Result<u64, String> {
//!         Ok(self.0[file as usize].1.len() as u64)
//!     }
//!
//!     fn read(&mut self, file: u32, at: u64, most: u64) -> Result<Vec<u8>, String> {
//!         Ok(self.0[file as usize].1.iter().skip(at as usize).take(most as usize).copied().collect())
//!     }
//! }
//!
//! # fn main() -> Result<(), &'static str> {
//! let mut memory = Memory([
//!     ("2026-11-26-03-00-00.dat", b"/srv/zodb/2026-11-26-03-00-00.fs 0 5 5d41402abc4b2a76b9719d911017c592\n"),
//!     ("2026-11-26-03-00-00.fs", b"hello"),
//! ]);
//! let mut listing = Listing::default();
//! for (number, (name, _)) in (0..).zip(memory.0) {
//!     listing.add(name, Kind::File, number);
//! }
//! let format = listing.format().ok_or("this looks like no backup")?;
//! let report = host::verify(&mut memory, (format, None), listing, "zodb", Depth::Digest);
//! assert_eq!(report.verdict, Soundness::Sound);
//! # Ok(())
//! # }
//! ```
//!
//! Each format is a feature: `repozo`, `datastore`, `fjall`, `rocksdb` (LevelDB, too), `dirstorage`, `tree`, `mirror`
//! and `listed`; `pbs-keys` opens what is encrypted, `json` writes and reads reports. All are on by default. With
//! `repozo` alone the crate takes fourteen others, half of which only its build does.
//!
//! # What stays
//!
//! Versions follow semver. A version of the same major number, or of the same minor one while that is 0, breaks no
//! program that compiles without warnings of what is deprecated, and reads the reports of those before it. New codes of
//! findings, new fields of reports, new formats and deeper checks are no break: a set that was sound may be called
//! damaged by a later version, and that is what it is for. The oldest Rust that it compiles with is raised with the
//! minor number only.
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::unreachable,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss
)]
// What formats share is not used by each of them, and what only some have is handled for all.
#![cfg_attr(
    not(feature = "default"),
    allow(
        dead_code,
        unreachable_code,
        unreachable_patterns,
        unreachable_pub,
        unused_imports,
        unused_mut,
        unused_variables
    )
)]
#![cfg_attr(test, allow(clippy::cast_possible_truncation, clippy::cast_sign_loss))]

pub mod age;
pub mod check;
pub mod claim;
pub mod codec;
mod cursor;
pub mod digest;
pub mod drive;
pub mod facts;
pub mod fault;
pub mod filestorage;
pub mod finding;
pub mod fit;
pub mod foreign;
pub mod formats;
pub mod inspect;
#[cfg(feature = "inventory")]
pub mod inventory;
pub mod keep;
#[cfg_attr(not(feature = "pbs-keys"), path = "key/none.rs")]
pub mod key;
pub mod lane;
pub mod layout;
pub mod left_out;
pub mod marks;
mod moving;
#[cfg(feature = "mtree")]
pub mod mtree;
pub mod name;
pub mod node;
pub mod odd;
pub mod origin;
pub mod part;
pub mod plan;
pub mod point;
mod removal;
pub mod render;
pub mod report;
mod seen;
pub mod segments;
pub mod shard;
mod shared;
mod sort;
pub mod split;
pub mod stamp;
pub mod survey;
pub mod tar;
pub mod trail;
pub mod unread;
pub mod wire;
