//! Mirrors of buckets, against our own server of S3; and the same suite against moto and SeaweedFS.

mod clusters;
mod cuts;
mod every;
mod facts;
mod interrupted;
mod inventories;
mod keys;
mod killed;
mod lacking;
mod lists;
mod parquet;
mod prune;
mod prune_cuts;
mod records;
mod replica;
mod room;
mod scene;
mod segments;
mod shown;
mod status;
mod sync;
mod takeover;
mod trust;
mod workers;
