//! `--kind`, which links are followed, and `--max-bandwidth`: what a repository is taken for, what of it is read, and
//! how fast.

use clap::Args;

use super::{Bandwidth, Following};

/// What a repository is taken for, and what of it is read.
#[derive(Debug, Default, Args)]
pub(in crate::cli) struct Root {
    /// The kind of repository, when it is not to be recognised: repozo, datastore, fjall, rocksdb, leveldb, dirstorage,
    /// or datastore-cache, the cache of an S3 store, in which an empty chunk is one that only the bucket has.
    #[arg(long, value_name = "KIND")]
    pub(in crate::cli) kind: Option<String>,
    #[command(flatten)]
    pub(in crate::cli) following: Following,
    #[command(flatten)]
    pub(in crate::cli) bandwidth: Bandwidth,
}
