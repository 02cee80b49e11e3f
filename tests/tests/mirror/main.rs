//! Mirrors of buckets, against our own server of S3.

mod cuts;
mod inventories;
mod killed;
mod lists;
mod scene;
mod sync;
mod shown;
mod status;
