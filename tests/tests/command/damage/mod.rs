//! Every sort of damage to every sort of file at every depth: what verify says, and that nothing goes unseen.
//!
//! | file | about |
//! |---|---|
//! | `matrix.rs` | the damages of each format's table, by the real binary at each depth |
//! | `every.rs` | a small set of each format: every byte flipped, every length cut or grown, any two files swapped, doubled, deleted |
//! | `random.rs` | a set of some megabytes: random bits flipped |

mod every;
mod matrix;
mod random;
