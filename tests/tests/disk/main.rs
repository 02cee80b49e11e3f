//! What is on the disk when a run is cut off, refused, lied to, robbed, or not alone.

mod checkpoint;
mod crash;
mod dying;
mod injected;
mod prune;
mod reflink;
mod replicate;
mod sources;
mod tree;
mod trust;
