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

#[path = "hostile/expected.rs"]
mod expected;
#[path = "hostile/hard_links.rs"]
mod hard_links;
#[path = "hostile/indices.rs"]
mod indices;
#[path = "hostile/merging.rs"]
mod merging;
#[path = "hostile/mutations.rs"]
mod mutations;
#[path = "hostile/stage.rs"]
mod stage;
#[path = "hostile/stores.rs"]
mod stores;
#[path = "hostile/table.rs"]
mod table;
#[path = "hostile/targets.rs"]
mod targets;
#[path = "hostile/trees.rs"]
mod trees;
