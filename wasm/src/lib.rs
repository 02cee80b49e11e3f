//! Highwater in a browser tab: the JavaScript classes of the engine's [`highwater_core::drive`].
//!
//! A page cannot read a file where the engine stands: a read is begun and answered later, and a worker is fast only
//! while many are under way. The drive says what it wants read and takes the answers in any order; `bind` gives it to
//! JavaScript.
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
