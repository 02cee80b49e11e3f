//! Credentials from a program that the profile names: `credential_process`.

use std::io::Read;
use std::process::{Command, Stdio};

use super::Credentials;
use super::parse::parse;

/// No such program says more.
const LONGEST: u64 = 64 << 10;

/// Runs the line in a shell and reads what it prints. What it says on its standard error goes to the user's, as it may
/// ask for something; its output is in no error.
pub(super) fn fetch(line: &str) -> Result<Credentials, String> {
    let say = |what: String| format!("the credential_process of the profile {what}");
    let mut command = Command::new("/bin/sh");
    command.arg("-c").arg(line).stdin(Stdio::null()).stdout(Stdio::piped());
    let mut child = command.spawn().map_err(|error| say(format!("does not start: {error}")))?;
    let mut text = zeroize::Zeroizing::new(Vec::new());
    let read = match child.stdout.take() {
        Some(output) => output.take(LONGEST).read_to_end(&mut text).map(drop),
        None => Ok(()),
    };
    let status = child.wait().map_err(|error| say(format!("cannot be waited for: {error}")))?;
    read.map_err(|error| say(format!("cannot be read: {error}")))?;
    if !status.success() {
        return Err(say(format!("failed ({status})")));
    }
    parse(&text).map_err(|what| say(format!("is of no use: {what}")))
}
