//! Roots that lie elsewhere: in a bucket, against our own server of S3, and behind ssh.

mod both;
mod elsewhere;
mod faults;
mod into;
mod layout;
mod lock;
mod long;
mod long_into;
mod others;
mod replicate;
mod roots;
mod same;
mod ssh;
