//! Checkpoints of stores that their own engines write to meanwhile, judged by these engines; and verifications beside
//! them.

#![expect(clippy::print_stdout, reason = "the tables are told with --show-output")]

mod fresh;
mod harsh;
mod moments;
mod moved;
mod pauses;
mod points;
mod replicas;
mod support;
mod verify;
