//! Both ways against the real repozo: random histories in which each backup is the original's or ours, on one
//! repository.
//!
//! | file | what it shows |
//! |---|---|
//! | `histories.rs` | after every step of a random history both sides recover and verify the same bytes |
//! | `dates.rs` | `-D` in every spelling picks the same point on both sides |
//! | `forms.rs` | mixed gzip chains, indices of every shape, databases of Python 2, unfinished tails |
//! | `words.rs` | `-v` lines and messages are the original's, word for word |
//! | `story.rs` | the machinery of a history: database, repository, kept copies, the standby target |

mod dates;
mod forms;
mod histories;
mod story;
mod words;
