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
//! Each format is a feature of its name, all of them by default. Whoever verifies one kind alone takes that one, and with it
//! no package that only others need:
//!
//! ```toml
//! highwater-core = { version = "0.1", default-features = false, features = ["repozo"] }
//! ```
//!
//! What is beside formats: `pbs-keys` opens what clients encrypted, `json` writes and reads reports as JSON and SARIF, and
//! `sha2` lets one stream of SHA-256 use the processor's instructions.
//!
//! What an index says is hostile until parsed: no count is allocated unseen, nothing panics, and
//! memory does not grow with what an index asks for.
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
pub mod wire;
