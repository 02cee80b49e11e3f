//! Highwater on a machine with files: makes backups, restores what is missing, drives verifications.
//!
//! The engine ([`highwater_core`]) does no I/O; this crate reads through [`store::Store`], writes through
//! [`disk::Disk`], and keeps the order of writes that makes every published set whole:
//! data, fsync, rename, fsync of the folder, then the index line, fsync.
//!
//! Where something new goes:
//! * a kind of backup: a folder in `highwater_core::formats` and a line in its list; what makes such backups, a folder
//!   in [`backup`]; what every instrument of the tests needs of it, a folder in `tests/src/specimens`;
//! * a place to read from, near or far: a file or folder in [`store`] that is a [`store::Store`]; one whose answers
//!   take long says how many reads are best under way ([`store::Store::ways`]), and [`drive`] keeps so many;
//! * what a far end answers: a request in `highwater_core::wire`, answered in [`serve`], asked in [`store`]'s ssh;
//! * what is asked of S3: a file in [`s3`], a client of its own that knows nothing of backups;
//! * a place to write to: a [`disk::Disk`], which is a store too;
//! * a shape that a restore makes: a folder in [`restore`];
//! * a kind of backup whose points can be removed: a file in [`prune`];
//! * a live store that checkpoints are made of: an adapter, a file in [`live`];
//! * a verb: a file or folder in [`cli`] and a line in `cli::verb`.

pub mod backup;
pub mod bandwidth;
pub mod cli;
pub mod clock;
pub mod disk;
pub mod drive;
pub mod error;
pub mod export;
mod filestorage;
mod flush;
pub mod heal;
mod interruption;
mod kind;
pub mod live;
pub mod lock;
pub mod mark;
mod marking;
pub mod mirror;
pub mod prune;
mod random;
pub mod replicate;
pub mod restore;
pub mod s3;
pub mod serve;
pub mod shown;
pub mod store;
pub mod strays;
pub mod verify;
pub mod watch;
