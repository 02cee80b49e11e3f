//! Servers of S3 on loopback: a fast one of our own that can fail on demand, moto, and SeaweedFS.
//!
//! Our own ([`Server`]) holds buckets in memory ([`shelves`]), answers from a thread per connection, checks signatures
//! by an implementation of its own ([`signature`]), keeps a log of what it was asked, and breaks as it is told to
//! ([`fault`]). [`Admin`] fills any of the three over the wire. The two others ([`others`]) are processes that end with
//! their value.

pub mod admin;
mod answer;
pub mod fault;
pub mod inventory;
pub mod keys;
mod list;
pub mod observe;
pub mod others;
mod request;
mod send;
mod server;
pub mod shelves;
pub mod signature;
pub mod text;
mod versions;
mod write;

pub use admin::Admin;
pub use fault::{Fault, Rule};
pub use inventory::{Listed, Published, Recipe};
pub use server::{Asked, Server};
pub use shelves::{Shelves, Version};

/// The key that all three servers know.
pub const KEY: &str = "AKIDTEST";

/// Its secret.
pub const SECRET: &str = "hush/hush+hush";

/// The region that they are in.
pub const REGION: &str = "eu-north-1";
