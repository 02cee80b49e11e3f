//! Properties that must hold for every history: what was backed up comes back, points stay, and verify never cries wolf.
//!
//! | file | property |
//! |---|---|
//! | `histories.rs` | random histories on the model of a disk: restore after backup is the identity, sound is called sound |
//! | `beside.rs` | a reader beside a writer, at every moment of its work, never calls anything damaged |
//! | `processes.rs` | the same with the real program and real processes |

#[path = "properties/beside.rs"]
mod beside;
#[path = "properties/drives.rs"]
mod drives;
#[path = "properties/histories.rs"]
mod histories;
#[path = "properties/moments.rs"]
mod moments;
#[path = "properties/processes.rs"]
mod processes;
#[path = "properties/source.rs"]
mod source;
#[path = "properties/world.rs"]
mod world;
