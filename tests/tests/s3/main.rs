//! The client of S3 against three servers, one of them our own that breaks on demand; and against AWS's own examples of
//! signatures.

mod broken;
mod credentials;
mod every;
mod flow;
mod places;
mod signing;
mod write;
