//! A blocking client of S3: reads objects and lists them, each body from one version only; and writes new ones.
//!
//! This room knows nothing of backups or mirrors. A [`Client`] is shared by reference among any number of threads; each
//! call blocks its thread.
//!
//! The way of a call: an [`Ask`] (or a [`Listing`]) → [`endpoint`] (which host, which path) → [`sign`] (SigV4 over that
//! very path) → `wire` (one exchange, connections kept) → [`answer`] (what its status and code mean) → the body, as a
//! [`Reading`] that is taken from or, in pieces, into a [`Sink`]. Around it, [`retry`] bounds and spaces the attempts,
//! [`limit`] bounds the requests in flight, and [`crate::bandwidth`] the bytes a second.
//!
//! **Every key.** A key is bytes. Each byte outside `A-Z a-z 0-9 - . _ ~ /` is percent-encoded, once, and the path that
//! is signed is the path that is sent: nothing on the way joins slashes, drops `.` and `..`, or decodes. No key is
//! empty, as its path would be that of the bucket.
//!
//! **One version.** A body that breaks is taken up where it ended, with `Range` and the `ETag` (and the version, where
//! the bucket has versions) that the first answer gave. An answer of another version, ETag, length or range is
//! [`Error::Changed`]: what the sink has then is to be thrown away. `Content-Length` must be there and be met to the
//! byte.
//!
//! **Writing.** A [`Put`] makes an object whose name is free (`If-None-Match: *`), or replaces the one that the caller
//! knows (`If-Match`): whoever else writes the same name is seen, and nothing of his is lost. Long ones go in parts,
//! and are there when all of them are. Each body goes with its SHA-256 and MD5, so that S3 refuses what came over
//! broken. When no answer came, the object that is there is looked at: it is ours if it has our ETag, or the mark that
//! goes with each upload. A [`Guard`] is asked before each attempt.
//!
//! **Attempts.** A request is sent at most [`Settings::attempts`] times in a row without getting anywhere; eight
//! mebibytes of body count as getting somewhere. Between two attempts lies a random time of up to 0.1 s × 2ⁿ, at most
//! 20 s ("full jitter"). 429 and 503 halve the number of requests in flight; each round that goes well adds
//! one. A connection that gives no byte for [`Settings::stall`] has stalled and is closed. 403 and 404 are final.
//! [`Client::interrupt`] ends every call, whatever it waits for.
//!
//! **Who asks.** [`Settings::from_environment`] reads what the AWS command line reads: `AWS_ACCESS_KEY_ID`,
//! `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`; profiles (`AWS_PROFILE`, `~/.aws/credentials`, `~/.aws/config`) with
//! their keys or `credential_process`; the container's and the instance's roles; and asks without a signature if there
//! are none. Those that expire are fetched anew in time. A secret is in no `Debug` text and in no error.
//! Profiles that need a login or another role (`sso_*`, `role_arn`) are refused by name, with the command that helps.
//!
//! **Where.** `AWS_ENDPOINT_URL_S3`, `AWS_ENDPOINT_URL` or the profile's `endpoint_url`; else AWS. Path style for an
//! endpoint of one's own and for buckets with dots, the bucket in the host's name otherwise. The region of a bucket is
//! learnt from its answers and kept. Plain `http` is for endpoints that say so; loopback ones go around any proxy.
//! `AWS_CA_BUNDLE` replaces the certificates that are trusted.
//!
//! Sources of the wire's facts: the S3 API reference (GetObject, HeadObject, ListObjectsV2, PutObject,
//! CopyObject, the calls of a multipart upload, "Authenticating Requests:
//! AWS Signature Version 4"), and botocore's model for error codes that a `HEAD` or a proxy leaves out.

pub mod answer;
pub mod ask;
mod client;
pub mod credentials;
mod encode;
pub mod endpoint;
pub mod environment;
mod error;
mod files;
mod get;
mod head;
pub mod limit;
mod list;
mod parts;
mod payload;
mod profile;
mod put;
mod reading;
mod remove;
pub mod retry;
mod settings;
pub mod sign;
pub mod time;
mod wire;
mod xml;

pub use ask::{Ask, Listing, Place};
pub use client::{Client, Guard};
pub use environment::Environment;
pub use error::{Error, Missing};
pub use get::Sink;
pub use head::Head;
pub use list::{Listed, Page};
pub use payload::Content;
pub use put::{Put, Stored, Under};
pub use reading::Reading;
pub use settings::{Settings, Style};
