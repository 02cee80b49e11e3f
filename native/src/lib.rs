//! Highwater on a machine with files: makes backups, restores what is missing, drives verifications.
//!
//! The engine ([`highwater_core`]) does no I/O; this crate reads through [`store::Store`], writes through
//! [`disk::Disk`], and keeps the order of writes that makes every published set whole:
//! data, fsync, rename, fsync of the folder, then the index line, fsync.

pub mod backup;
pub mod cli;
pub mod clock;
pub mod disk;
pub mod drive;
pub mod error;
mod filestorage;
mod flush;
pub mod heal;
pub mod lock;
pub mod mark;
mod marking;
mod random;
pub mod restore;
pub mod shown;
pub mod store;
pub mod strays;
pub mod watch;
