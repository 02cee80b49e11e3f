//! Highwater in a browser tab.
//!
//! A page cannot read a file where the engine stands: a read is begun and answered later, and a worker is fast only while
//! many are under way. So the engine is driven here by a [`drive::Drive`], which says what it wants read, takes the
//! answers in any order, and puts many streams through the lanes side by side, as the native command does with its
//! threads. It reads nothing itself and is tested natively; `bind` gives it to JavaScript.
//!
//! A worker owns one instance of this module and one shard of the claims. The page merges their reports.
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

#[cfg(target_arch = "wasm32")]
mod bind;
pub mod drive;
pub mod listing;
pub mod restore;
