//! Wrong, missing, unreadable and unfinished things: the exit code, the one sentence, and that nothing is lost.
//!
//! | file | about |
//! |---|---|
//! | `starting.rs` | sources, repositories, clocks and locks with which a run cannot start |
//! | `emptied.rs` | sets that lost what they are known by |
//! | `folders.rs` | targets with a slash, the folder at hand, folders that are missing or stand where a file is wanted |
//! | `leftovers.rs` | what interrupted runs leave, and what the next backup makes of it |
//! | `restoring.rs` | damaged sets, odd targets, running databases, resumed restores |
//! | `limits.rs` | full disks, read-only repositories, unreadable files, odd names, huge indices, signals |
//! | `apart.rs` | reports, events and archives that would replace what the run is about; paths that are empty |
//! | `mounts.rs` | what is mounted in a folder that is replaced or removed |

mod apart;
mod emptied;
mod folders;
mod leftovers;
mod limits;
mod mounts;
mod restoring;
mod signals;
mod starting;
