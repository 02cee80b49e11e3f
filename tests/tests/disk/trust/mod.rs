//! Whom and what a run trusts: nobody else who may write where it writes, and nothing that somebody else prepared.
//!
//! | file | about |
//! |---|---|
//! | `ownership.rs` | whom files belong to afterwards, and who may open them |
//! | `links.rs` | links that lead out of a repository, and what is read and written through them |
//! | `parts.rs` | work files of somebody else, and those of runs that were killed |
//! | `leftovers.rs` | folders that look like what a killed run left, and are not |
//! | `images.rs` | what belongs to a database and not to the image of a disk |
//! | `together.rs` | two runs at the same object at once |
//! | `pairs.rs` | every two verbs that write, at once on one root |
//! | `reports.rs` | what reports are written to |
//! | `second_user.rs` | another user who swaps files under every verb that writes |
//! | `attacker.rs` | that user |
//! | `untouched.rs` | what each verb leaves as it was |
//! | `stage.rs`, `record.rs`, `traced.rs` | scratch folders, what is in them, and system calls that take long |

mod attacker;
mod images;
mod leftovers;
mod links;
mod ownership;
mod pairs;
mod parts;
mod record;
mod reports;
mod second_user;
mod stage;
mod together;
mod traced;
mod untouched;
