//! Situations from the field: what an operator meets, and what `highwater` must say of it; a line of the scoreboard a room.
//!
//! | folder | about |
//! |---|---|
//! | `loss/` | nothing that is stored or restored is less than it says |
//! | `truth/` | nothing damaged is called sound, nothing sound damaged |
//! | `counts/` | what counts as checked, and what the verdict says |
//! | `words/` | one sentence that names the next step |
//! | `limits/` | memory, threads, signals, secrets |
//! | `server/` | stores as the server's own code takes them |

#[path = "field/counts/mod.rs"]
mod counts;
#[path = "field/limits/mod.rs"]
mod limits;
#[path = "field/loss/mod.rs"]
mod loss;
#[path = "field/server/mod.rs"]
mod server;
#[path = "field/truth/mod.rs"]
mod truth;
#[path = "field/words/mod.rs"]
mod words;
