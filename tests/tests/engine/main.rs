//! The engine without files: the same input gives the same report, whatever drives it and however it comes.

mod catalogues;
mod drive;
mod house;
mod keep;
mod marks;
mod properties;
mod ranges;
mod split;
mod trees;
mod wasm;
