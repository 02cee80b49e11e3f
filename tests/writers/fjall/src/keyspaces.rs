//! The keyspaces and what each was created with: no two alike, so that options that were lost or mixed up are seen.

use std::path::Path;
use std::sync::Arc;

use fjall::compaction::Leveled;
use fjall::config::{BlockSizePolicy, CompressionPolicy, RestartIntervalPolicy};
use fjall::{CompressionType, Database, Keyspace, KeyspaceCreateOptions, KvSeparationOptions};

/// Those that every batch writes to.
pub const NAMES: [&str; 3] = ["plain", "values", "levels"];

/// The one that is ingested into as well.
pub const INGESTED: &str = "ingested";

const MIB: u64 = 1 << 20;

/// What the keyspace called `name` is created with. Memtables are small, so that it is flushed often.
pub fn creation(name: &str) -> KeyspaceCreateOptions {
    let options = KeyspaceCreateOptions::default();
    match name {
        "plain" => options
            .max_memtable_size(2 * MIB)
            .data_block_size_policy(BlockSizePolicy::all(8 << 10))
            .data_block_compression_policy(CompressionPolicy::all(CompressionType::None)),
        "values" => options.max_memtable_size(3 * MIB).expect_point_read_hits(true).with_kv_separation(Some(
            KvSeparationOptions::default()
                .separation_threshold(777)
                .file_target_size(2 * MIB)
                .staleness_threshold(0.125)
                .age_cutoff(0.5),
        )),
        "levels" => options
            .max_memtable_size(2 * MIB)
            .data_block_restart_interval_policy(RestartIntervalPolicy::all(7))
            .compaction_strategy(Arc::new(Leveled::default().with_l0_threshold(3).with_table_target_size(MIB))),
        _ => options.max_memtable_size(4 * MIB).data_block_size_policy(BlockSizePolicy::all(2 << 10)),
    }
}

/// Open the database with a journal limit that makes journals go soon.
pub fn open(folder: &Path) -> fjall::Result<Database> {
    Database::builder(folder).max_journaling_size(80 * MIB).worker_threads(2).open()
}

/// What of a keyspace's options is not what it was created with.
pub fn changed(name: &str, keyspace: &Keyspace) -> Option<String> {
    let (is, was) = (&keyspace.config, creation(name));
    let strategy = |options: &KeyspaceCreateOptions| {
        (options.compaction_strategy.get_name().to_owned(), options.compaction_strategy.get_config())
    };
    let what = if is.data_block_size_policy != was.data_block_size_policy {
        "block size"
    } else if is.data_block_compression_policy != was.data_block_compression_policy {
        "compression"
    } else if is.data_block_restart_interval_policy != was.data_block_restart_interval_policy {
        "restart interval"
    } else if is.expect_point_read_hits != was.expect_point_read_hits {
        "expected hits"
    } else if is.filter_policy != was.filter_policy {
        "filter policy"
    } else if is.kv_separation_opts != was.kv_separation_opts {
        "separation of values"
    } else if strategy(is) != strategy(&was) {
        "compaction strategy"
    } else {
        return None;
    };
    Some(format!("the {what} of keyspace {name} is not what it was created with"))
}
