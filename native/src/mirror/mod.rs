//! Mirrors buckets of S3 into folders: every version kept, planned from inventories, taken back without the network.
//!
//! | step | what it does | killed there |
//! |---|---|---|
//! | find | the inventory, by its date ([`inventories`]); its lists are fetched, and sorted if need be ([`lists`]) | goes on |
//! | plan | inventory and index side by side: steps, and the next index (`plan`) | is thrown away |
//! | begin | the plan is durable, and a file says so (`journal`) | the next run goes on |
//! | fetch | what is new is put where it belongs; what replaces something waits ([`fetch`]) | goes on |
//! | settle | the next index, in which stands what was had and what proves it (`settle`) | is made again |
//! | apply | files are moved; no file is replaced, and no step is done twice ([`apply`]) | is gone through again |
//! | commit | all is durable, and one file is renamed: the pointer | was not, or was |
//!
//! Find, plan and begin are also a run of their own, and so are fetch, for any number of processes at the same time,
//! and what comes after it (`segments`): the plan is cut into parts, each of which is read and fetched by itself
//! (`parts`), and says by itself what became of it (`outcomes`).
//!
//! The tree is read by nobody but [`fetch`], which looks whether a body is there already; what differs between it and
//! the index is told by `differences`, when somebody asks. Versions that the inventory
//! lists no more stay, until they are pruned (`prune`). What lies in the way and is none of the mirror's is
//! moved aside, never replaced.

mod apply;
mod area;
mod body;
mod differences;
mod fetch;
mod index;
pub mod inventories;
mod journal;
pub mod lists;
mod outcomes;
mod parts;
mod place;
mod plan;
mod prune;
mod results;
mod rollback;
mod room;
mod segments;
mod settle;
mod state;
mod strays;
mod sync;
mod there;
mod wants;

pub use apply::Applying;
pub use differences::{Count, Difference, Differences, Kind, Weight, differences};
pub use fetch::Fetched;
pub use inventories::{Inventories, Inventory};
pub use lists::{Lists, Outcome, Unread};
pub use prune::{Pruning, Told, prune};
pub use rollback::{Rolled, rollback};
pub use room::Need;
pub use segments::{Segment, apply, discard, fetch};
pub use state::{State, state};
pub use sync::{Summary, Sync, SyncPlan};
