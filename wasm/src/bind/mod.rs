//! What the scripts of a worker get of the engine: keys, listings, jobs and the end of a run. Options, points, progress
//! and findings are plain objects; offsets stay exact below 2^53.

#![expect(unreachable_pub, reason = "JavaScript takes what is public, and nothing in Rust reaches it")]

mod conclude;
mod digests;
mod fault;
mod files;
mod host;
mod job;
#[cfg(feature = "keys")]
mod key;
mod listing;
mod named;
mod news;
mod options;
mod part;
mod source;
mod stream;
mod task;
