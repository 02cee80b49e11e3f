//! Roots in a bucket, against our own server of S3.

mod faults;
mod long;
mod roots;
mod same;
