//! `Fjall`: the stores of fjall 3, read without the engine.

pub mod archive;
pub mod current;
pub mod journal;
pub mod marker;
pub mod names;
mod odd;
pub mod version;

pub use odd::Odd;
