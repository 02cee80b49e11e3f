//! Roots behind ssh: against a real sshd on loopback, and with a line in its place that breaks, is cut or lies.

mod broken;
pub(crate) mod machine;
mod same;
mod serve;
mod session;
mod sshd;
mod stores;
mod words;
