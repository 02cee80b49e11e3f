//! The writers: one for each format that backups are made in.

pub mod datastore;
pub mod repozo;
pub mod tree;
