//! What the tests of the whole program share: the built binary, the real Python original beside it, and scratch
//! folders.
//!
//! Nothing here judges; it runs things and hands back what happened as data, and panics with a full account
//! when a step that only prepares a test fails. Python's side lives in `tests/python`.

pub use highwater_tests_wasm::{dice, memory};

pub mod binary;
pub mod browser;
pub mod catalogues;
pub mod datastore;
pub mod fuzz;
pub mod harm;
pub mod inject;
pub mod live;
pub mod measured;
pub mod model;
pub mod mounted;
pub mod page;
pub mod python;
pub mod repo;
pub mod repository;
pub mod rounds;
pub mod run;
pub mod s3;
pub mod scene;
pub mod score;
pub mod slurm;
pub mod specimens;
pub mod stamps;
pub mod trees;
pub mod workbench;
pub mod writers;
