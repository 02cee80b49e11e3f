//! Sets made by somebody who wants to lead a restore astray, exhaust a machine, or pass for sound.
//!
//! | file | about |
//! |---|---|
//! | `every.rs` | the hostile sets of every format, and every verb of the binary over each of them |
//! | `table.rs`, `folder.rs` | what runs them and watches what they touch and take |
//! | `targets.rs` | hostile targets of a restore |
//! | `merging.rs` | hostile reports |
//! | `keys.rs` | hostile key files |
//! | `hard_links.rs` | files with a second name |
//! | `indices.rs` | indices, gzip files and OID indices in detail |
//! | `no_files.rs` | indices that are folders, FIFOs, or links that lead nowhere |
//! | `mutations.rs` | random damage of every sort |

mod every;
mod folder;
mod hard_links;
mod indices;
mod keys;
mod merging;
mod mutations;
mod no_files;
mod table;
mod targets;
