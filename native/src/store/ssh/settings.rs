//! `SshSettings`: which command reaches another machine, and how the program is called there.

use std::ffi::OsString;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use super::far::Say;

/// The command that reaches another machine: words, as in a shell.
const SSH: &str = "HIGHWATER_SSH";

/// How this program is called there: for the shell there.
const FAR: &str = "HIGHWATER_FAR";

/// For how many seconds nothing may come while something is waited for.
const STALL: &str = "HIGHWATER_SSH_STALL";

/// The same, unless it is said.
const PATIENCE: Duration = Duration::from_secs(60);

/// How other machines are reached.
pub struct SshSettings {
    /// The command, as words of a shell.
    pub ssh: OsString,
    /// How this program is called there.
    pub far: String,
    /// So long may nothing come while something is waited for.
    pub patience: Duration,
    /// So many bytes a second are taken, if it is said.
    pub bandwidth: Option<u64>,
    /// Set when all is to end.
    pub stop: Arc<AtomicBool>,
    /// Shows what the far end says to a person, a line each.
    pub say: fn(&str),
}

impl SshSettings {
    /// As the environment says.
    ///
    /// # Errors
    /// A sentence, when a variable makes no sense.
    pub fn from_environment(stop: Arc<AtomicBool>, say: Say) -> Result<Self, String> {
        let get = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        let text = |name: &str| get(name).map(|value| value.into_string().map_err(|_| format!("{name} is no text")));
        let patience = match text(STALL).transpose()? {
            None => PATIENCE,
            Some(seconds) => match seconds.parse() {
                Ok(seconds @ 1..) => Duration::from_secs(seconds),
                _ => return Err(format!("{STALL} is no number of seconds: '{seconds}'")),
            },
        };
        let far = text(FAR).transpose()?.unwrap_or_else(|| "highwater".to_owned());
        Ok(Self { ssh: get(SSH).unwrap_or_else(|| "ssh".into()), far, patience, bandwidth: None, stop, say })
    }
}
