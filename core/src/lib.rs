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
pub mod inventory;
pub mod keep;
pub mod key;
pub mod lane;
pub mod layout;
pub mod left_out;
pub mod marks;
mod moving;
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
pub mod wire;
