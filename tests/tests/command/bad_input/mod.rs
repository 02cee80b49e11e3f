//! Wrong, missing, unreadable and unfinished things: the exit code, the one sentence, and that nothing is lost.
//!
//! | file | about |
//! |---|---|
//! | `starting.rs` | sources, repositories, clocks and locks with which a run cannot start |
//! | `emptied.rs` | sets that lost what they are known by |
//! | `leftovers.rs` | what interrupted runs leave, and what the next backup makes of it |
//! | `restoring.rs` | damaged sets, odd targets, running databases, resumed restores |
//! | `limits.rs` | full disks, read-only repositories, unreadable files, odd names, huge indices, signals |

mod emptied;
mod leftovers;
mod limits;
mod restoring;
mod signals;
mod starting;
