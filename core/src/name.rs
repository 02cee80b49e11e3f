//! `Name`: the path of an object below its root, which cannot leave that root.

use std::fmt;
use std::sync::Arc;

#[cfg(feature = "json")]
use serde::{Serialize, Serializer};

/// The longest name accepted, in bytes: Linux's `PATH_MAX`.
pub const LONGEST: usize = 4096;

/// The ending of the names of files that are being written. It matches no pattern of the programs whose folders they
/// lie in.
pub const TEMPORARY: &str = ".highwater-tmp";

/// What the names of folders begin with that are being filled.
pub const WORK: &str = ".highwater-";

/// A relative, `/`-separated path of bytes, without empty, `.` or `..` parts and without NUL.
///
/// Bytes, because a folder may hold names that are no UTF-8. `Display` and JSON show control
/// characters, backslashes and stray bytes escaped (`\n`, `\\`, `\xff`), so that two different names
/// never look alike and none can write to a terminal.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(Arc<[u8]>);

/// Why some bytes are no [`Name`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing at all, or an empty part as in `a//b`, `/a`, `a/`.
    #[error("the name has an empty part")]
    Empty,
    /// A part that is `.` or `..`.
    #[error("the name has a part that is '.' or '..'")]
    Dots,
    /// A NUL byte.
    #[error("the name holds a NUL byte")]
    Nul,
    /// More than [`LONGEST`] bytes.
    #[error("the name is longer than 4096 bytes")]
    Long,
}

impl Name {
    /// Takes `bytes` as a name, or says why they are none.
    ///
    /// # Errors
    /// [`NameError`] when the path could leave its root or cannot name a file.
    pub fn new(bytes: &[u8]) -> Result<Self, NameError> {
        if bytes.len() > LONGEST {
            return Err(NameError::Long);
        }
        if bytes.contains(&0) {
            return Err(NameError::Nul);
        }
        for part in bytes.split(|&b| b == b'/') {
            match part {
                b"" => return Err(NameError::Empty),
                b"." | b".." => return Err(NameError::Dots),
                _ => {}
            }
        }
        Ok(Self(bytes.into()))
    }

    /// The name of `part` in the folder of this name.
    ///
    /// # Errors
    /// [`NameError`] when `part` is no name, or both are too long together.
    pub fn join(&self, part: &[u8]) -> Result<Self, NameError> {
        Self::new(&[&self.0, &b"/"[..], part].concat())
    }

    /// The folder that this lies in; none for what lies in the root itself.
    #[must_use]
    pub fn folder(&self) -> Option<Self> {
        let at = self.0.iter().rposition(|byte| *byte == b'/')?;
        self.0.get(..at).map(|folder| Self(folder.into()))
    }

    /// The order of a walk: what lies in a folder follows it, before whatever else begins as its name does.
    #[must_use]
    pub fn walk_order(&self, other: &Self) -> std::cmp::Ordering {
        // No byte of a name is NUL, so a slash comes before every other.
        let shared = self.0.iter().zip(other.0.iter()).position(|(one, other)| one != other);
        match shared {
            Some(at) => {
                let rank = |name: &Self| name.0.get(at).map(|byte| if *byte == b'/' { 0 } else { *byte });
                rank(self).cmp(&rank(other))
            }
            None => self.0.len().cmp(&other.0.len()),
        }
    }

    /// Its last part: the name in its folder.
    #[must_use]
    pub fn last(&self) -> &[u8] {
        self.0.rsplit(|byte| *byte == b'/').next().unwrap_or_default()
    }

    /// The name's bytes, as a host gave them.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The name as text, when it is UTF-8.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&printable(&self.0))
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

#[cfg(feature = "json")]
impl Serialize for Name {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Shows any bytes on one line of text: text as it is, escaped whatever is not printable, and the beginnings of
/// commands to services that read logs (`::error`, `##vso[`, `##[`).
#[must_use]
pub fn printable(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        let mut chars = chunk.valid().chars().peekable();
        while let Some(c) = chars.next() {
            if c == '\\' || c.is_control() || is_invisible(c) {
                text.extend(c.escape_default());
            } else if begins_command(c, chars.peek().copied()) {
                text.extend(c.escape_unicode());
            } else {
                text.push(c);
            }
        }
        for byte in chunk.invalid() {
            text.push_str(&format!("\\x{byte:02x}"));
        }
    }
    text
}

/// Characters that nobody sees, or that reorder or hide their neighbours on a terminal or a page: Unicode's default
/// ignorable ones, its separators of lines, and those that are drawn as nothing.
#[must_use]
pub fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// Whether a character and the next one begin a command to a service that reads logs.
#[must_use]
pub fn begins_command(c: char, next: Option<char>) -> bool {
    matches!((c, next), ('#', Some('#')) | (':', Some(':')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_walk_goes_into_a_folder_before_it_goes_on() {
        let name = |text: &str| Name::new(text.as_bytes()).unwrap();
        let mut names = ["a-b", "a/x", "a", "a b", "a/x/y", "a/x-", "b", "a!", "aa"].map(name);
        names.sort_by(Name::walk_order);
        assert_eq!(names, ["a", "a/x", "a/x/y", "a/x-", "a b", "a!", "a-b", "aa", "b"].map(name));
        assert_eq!(name("a").walk_order(&name("a")), std::cmp::Ordering::Equal);
    }

    #[test]
    fn refuses_what_could_leave_the_root() {
        for (bytes, error) in [
            (&b""[..], NameError::Empty),
            (b"/etc/passwd", NameError::Empty),
            (b"a//b", NameError::Empty),
            (b"a/", NameError::Empty),
            (b"..", NameError::Dots),
            (b"a/../b", NameError::Dots),
            (b"./a", NameError::Dots),
            (b"a\0b", NameError::Nul),
            (&[b'x'; LONGEST + 1], NameError::Long),
        ] {
            assert_eq!(Name::new(bytes), Err(error), "{}", printable(bytes));
        }
        assert!(Name::new(b"a/..b/c...").is_ok());
    }

    #[test]
    fn nothing_invisible_and_no_command_is_shown() {
        for hidden in
            ["\u{61c}", "\u{200b}", "\u{200f}", "\u{202a}", "\u{2066}", "\u{e0041}", "\u{e007f}", "\u{fe0f}", "\u{ad}"]
        {
            let shown = printable(format!("a{hidden}b").as_bytes());
            assert!(shown.is_ascii() && shown.starts_with("a\\u{") && shown.ends_with("}b"), "{shown}");
        }
        assert_eq!(printable(b"##vso[task.complete]"), "\\u{23}#vso[task.complete]");
        assert_eq!(printable(b"x ###[error]"), "x \\u{23}\\u{23}#[error]");
        assert_eq!(printable(b"::error::x"), "\\u{3a}:error\\u{3a}:x");
        assert_eq!(printable(b"2026-03-01T00:00:00Z #1"), "2026-03-01T00:00:00Z #1");
    }

    #[test]
    fn different_names_never_look_alike() {
        let names: Vec<Name> = [&b"a\nb"[..], b"a\\nb", b"a\xffb", b"a\\xffb", "a\u{202e}b".as_bytes()]
            .iter()
            .map(|b| Name::new(b).unwrap())
            .collect();
        let shown: std::collections::BTreeSet<String> = names.iter().map(Name::to_string).collect();
        assert_eq!(shown.len(), names.len());
        assert_eq!(names.first().unwrap().to_string(), "a\\nb");
        assert!(shown.iter().all(|s| s.chars().all(|c| !c.is_control())));
    }
}
