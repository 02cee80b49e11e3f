//! Mirrors of buckets: brings them to what an inventory lists.

pub mod inventories;
pub mod lists;
