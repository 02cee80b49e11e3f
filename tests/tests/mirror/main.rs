//! Mirrors of buckets, against our own server of S3.

mod cuts;
mod interrupted;
mod inventories;
mod killed;
mod lists;
mod parquet;
mod prune;
mod prune_cuts;
mod room;
mod scene;
mod shown;
mod status;
mod sync;
