//! Every sort of damage to every sort of file at every depth: what verify says, and that nothing goes unseen.
//!
//! | file | about |
//! |---|---|
//! | `matrix.rs` | ten ways of damage and flips at named places, in each kind of file, by the real binary at each depth |
//! | `expected.rs` | what it must say: the tables of the matrix |
//! | `every.rs` | a small set of each format: every byte flipped, every length cut or grown, any two files swapped, doubled, deleted |
//! | `random.rs` | a set of some megabytes: random bits flipped |

mod every;
mod expected;
mod matrix;
mod random;
