//! Beside `mtree`, `bsdtar` and `tar`: what they write is read, and what is written they read.

mod export;
mod lists;
mod recipe;
mod tree;
