//! Situations from the field: what an operator meets, and what `highwater` must say of it; a line of the scoreboard a
//! room.
//!
//! | folder | about |
//! |---|---|
//! | `loss/` | nothing that is stored or restored is less than it says |
//! | `truth/` | nothing damaged is called sound, nothing sound damaged |
//! | `counts/` | what counts as checked, and what the verdict says |
//! | `words/` | one sentence that names the next step |
//! | `limits/` | memory, threads, signals, secrets |
//! | `server/` | stores as the server's own code takes them |

mod counts;
mod limits;
mod loss;
mod server;
mod truth;
mod words;
