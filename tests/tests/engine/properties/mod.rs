//! Properties that must hold for every history: what was backed up comes back, points stay, and verify never cries
//! wolf.
//!
//! | file | property |
//! |---|---|
//! | `histories.rs` | random histories on the model of a disk: restore after backup is the identity, sound is called sound |
//! | `points.rs` | random folders on that model: each point is sound at every depth, and gives the folder back |
//! | `beside.rs` | a reader beside a writer, at every moment of its work, never calls anything damaged |
//! | `processes.rs` | the same with the real program and real processes |

mod beside;
mod drives;
mod histories;
mod moments;
mod points;
mod processes;
mod source;
mod world;
