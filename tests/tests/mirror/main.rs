//! Mirrors of buckets, against our own server of S3.

mod inventories;
mod lists;
