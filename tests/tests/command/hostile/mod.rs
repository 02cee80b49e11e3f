//! Repositories made by somebody who wants to lead a restore astray, exhaust a machine, or pass for sound.
//!
//! | file | about |
//! |---|---|
//! | `trees.rs` | hostile indices, names, links and devices, and every verb of the binary over each of them |
//! | `expected.rs` | the exit codes of those |
//! | `targets.rs` | hostile targets of a restore |
//! | `merging.rs` | hostile reports |
//! | `table.rs`, `stage.rs` | what runs them and watches what they touch and take |
//! | `hard_links.rs` | files with a second name |
//! | `indices.rs` | indices, gzip files and OID indices in detail |
//! | `stores.rs` | hostile datastores |
//! | `mutations.rs` | random damage of every sort |

mod expected;
mod hard_links;
mod indices;
mod merging;
mod mutations;
mod stage;
mod stores;
mod table;
mod targets;
mod trees;
