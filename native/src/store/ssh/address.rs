//! `Address`: `ssh://[USER@]HOST[:PORT]/FOLDER`, and the words of the command that reaches it.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

/// How such a root is named.
pub(super) const SCHEME: &[u8] = b"ssh://";

/// A folder on another machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address {
    /// With the user, if one is named.
    host: String,
    port: Option<u16>,
    /// As the other machine is told it: absolute, or with a dot before what lies below the user's home.
    pub(super) folder: Vec<u8>,
    /// As the user wrote it, without a slash at its end.
    pub(super) told: PathBuf,
}

/// What a far end is to serve.
#[derive(Debug, Clone, Copy)]
pub enum Asks<'a> {
    /// The folder.
    Folder,
    /// A checkpoint of the live store that it is, which lies beside it or in this folder meanwhile.
    Checkpoint(Option<&'a Path>),
}

impl Asks<'_> {
    fn option(self) -> &'static [u8] {
        match self {
            Self::Folder => b"--read-only",
            Self::Checkpoint(_) => b"--checkpoint",
        }
    }
}

/// Where the folder begins, with its slash: behind the host.
pub(super) fn folder(url: &[u8]) -> usize {
    let host = url.get(SCHEME.len()..).unwrap_or_default();
    SCHEME.len() + host.iter().position(|byte| *byte == b'/').unwrap_or(host.len())
}

impl Address {
    /// Reads one.
    ///
    /// # Errors
    /// A sentence, when it is none.
    pub(super) fn parse(url: &Path) -> Result<Self, String> {
        let url = url.as_os_str().as_bytes();
        let (machine, folder) = url.split_at(folder(url).min(url.len()));
        let machine = machine.strip_prefix(SCHEME).ok_or("it does not begin with ssh://")?;
        let machine = std::str::from_utf8(machine).map_err(|_| "its host is no text")?;
        let (user, host) = match machine.rsplit_once('@') {
            Some((user, host)) => (Some(user), host),
            None => (None, machine),
        };
        let (host, port) = match host.strip_prefix('[').and_then(|host| host.split_once(']')) {
            Some((host, "")) => (host, None),
            Some((host, port)) => (host, Some(port.strip_prefix(':').ok_or("something else than a port follows ']'")?)),
            None => host.rsplit_once(':').map_or((host, None), |(host, port)| (host, Some(port))),
        };
        let port = match port.map(str::parse::<u16>) {
            Some(Err(_) | Ok(0)) => return Err(format!("'{}' is no port", port.unwrap_or_default())),
            Some(Ok(port)) => Some(port),
            None => None,
        };
        // Words for ssh, which would take some for options.
        for (word, what) in [(Some(host), "host"), (user, "user")] {
            let Some(word) = word else { continue };
            let is_odd = |c: char| c.is_whitespace() || c.is_control();
            if word.is_empty() {
                return Err(format!("it names no {what}: write ssh://[USER@]HOST[:PORT]/FOLDER"));
            }
            if word.starts_with('-') || word.contains(is_odd) {
                return Err(format!("there is no {what} of such a name"));
            }
        }
        if folder.is_empty() {
            return Err("it names no folder: write ssh://[USER@]HOST[:PORT]/FOLDER, or /~/FOLDER for one in the home"
                .to_owned());
        }
        if folder.contains(&0) || folder.contains(&b'\n') {
            return Err("its folder has a byte that none there can be asked for with".to_owned());
        }
        let is_home = folder == b"/~" || folder.starts_with(b"/~/");
        let plain = |path: &[u8]| {
            let end = path.iter().rposition(|byte| *byte != b'/').map_or(1, |last| last + 1);
            path.get(..end).unwrap_or(path).to_vec()
        };
        let folder = plain(folder);
        let told = [url.get(..self::folder(url)).unwrap_or(url), &folder].concat();
        let below = folder.get(b"/~/".len()..).unwrap_or_default();
        let host = user.map_or_else(|| host.to_owned(), |user| format!("{user}@{host}"));
        let folder = if is_home { [b"./", below].concat() } else { folder };
        Ok(Self { host, port, folder, told: PathBuf::from(OsString::from_vec(told)) })
    }

    /// What stands behind the words for ssh itself: `far` is how the program is called there, and `asks` for what.
    pub(super) fn words(&self, far: &str, asks: Asks<'_>) -> Vec<OsString> {
        let mut words = Vec::new();
        if let Some(port) = self.port {
            words.extend([OsString::from("-p"), port.to_string().into()]);
        }
        words.push(self.host.clone().into());
        let mut command = [far.as_bytes(), b" serve ", asks.option(), b" ", &in_quotes(&self.folder)].concat();
        if let Asks::Checkpoint(Some(place)) = asks {
            command.extend([&b" --place "[..], &in_quotes(place.as_os_str().as_bytes())].concat());
        }
        words.push(OsString::from_vec(command));
        words
    }
}

/// Bytes as one word of a shell.
fn in_quotes(bytes: &[u8]) -> Vec<u8> {
    let mut word = vec![b'\''];
    for byte in bytes {
        match byte {
            b'\'' => word.extend(br"'\''"),
            _ => word.push(*byte),
        }
    }
    word.push(b'\'');
    word
}

/// The words of a command, as a shell divides them: at blanks, but not within quotes or behind a backslash. Nothing
/// else in it means anything.
pub(super) fn divided(command: &OsStr) -> Vec<OsString> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<Vec<u8>>, None);
    let mut bytes = command.as_bytes().iter().copied();
    while let Some(byte) = bytes.next() {
        match (byte, quote) {
            (b'\'' | b'"', None) => {
                quote = Some(byte);
                word.get_or_insert_default();
            }
            (_, Some(end)) if byte == end => quote = None,
            (b'\\', None | Some(b'"')) => word.get_or_insert_default().extend(bytes.next()),
            (b' ' | b'\t' | b'\n', None) => words.extend(word.take().map(OsString::from_vec)),
            _ => word.get_or_insert_default().push(byte),
        }
    }
    words.extend(word.map(OsString::from_vec));
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(url: &str) -> Result<(Vec<String>, String), String> {
        let address = Address::parse(Path::new(url))?;
        let words = address.words("hw", Asks::Folder).into_iter().map(|word| word.into_string().unwrap());
        Ok((words.collect(), address.told.into_os_string().into_string().unwrap()))
    }

    #[test]
    fn what_is_named_becomes_words() {
        for (url, expected, told) in [
            ("ssh://h/srv/a", &["h", "hw serve --read-only '/srv/a'"][..], "ssh://h/srv/a"),
            ("ssh://u@h:22/srv//", &["-p", "22", "u@h", "hw serve --read-only '/srv'"], "ssh://u@h:22/srv"),
            ("ssh://[::1]:7/x", &["-p", "7", "::1", "hw serve --read-only '/x'"], "ssh://[::1]:7/x"),
            ("ssh://h/~/a b", &["h", "hw serve --read-only './a b'"], "ssh://h/~/a b"),
            ("ssh://h/~", &["h", "hw serve --read-only './'"], "ssh://h/~"),
            ("ssh://h/", &["h", "hw serve --read-only '/'"], "ssh://h/"),
            ("ssh://a@b@h/it's;$x", &["a@b@h", r"hw serve --read-only '/it'\''s;$x'"], "ssh://a@b@h/it's;$x"),
        ] {
            assert_eq!(words(url), Ok((expected.iter().map(|word| (*word).to_owned()).collect(), told.to_owned())));
        }
    }

    #[test]
    fn a_checkpoint_is_asked_for_by_another_word() {
        let address = Address::parse(Path::new("ssh://h/srv/a")).unwrap();
        for (place, command) in [
            (None, "hw serve --checkpoint '/srv/a'"),
            (Some(Path::new("/x y")), "hw serve --checkpoint '/srv/a' --place '/x y'"),
        ] {
            assert_eq!(address.words("hw", Asks::Checkpoint(place)), ["h", command]);
        }
    }

    #[test]
    fn what_ssh_would_take_for_an_option_is_no_host() {
        for (url, why) in [
            ("ssh://-oProxyCommand=x/a", "no host"),
            ("ssh://-l@h/a", "no user"),
            ("ssh://u@-h/a", "no host"),
            ("ssh:///a", "no host"),
            ("ssh://@h/a", "no user"),
            ("ssh://h", "no folder"),
            ("ssh://h:/a", "no port"),
            ("ssh://h:0/a", "no port"),
            ("ssh://h:x/a", "no port"),
            ("ssh://[::1]x/a", "']'"),
            ("ssh://h h/a", "no host"),
            ("ssh://h/a\nb", "folder"),
        ] {
            assert!(words(url).unwrap_err().contains(why), "{url}: {:?}", words(url));
        }
    }

    #[test]
    fn a_command_is_divided_as_a_shell_does() {
        let all = divided(OsStr::new(r#"  ssh -i "a b" '' c\ d 'e"f' "g\"h" "#));
        assert_eq!(all, ["ssh", "-i", "a b", "", "c d", "e\"f", "g\"h"]);
        assert!(divided(OsStr::new(" \t")).is_empty());
    }
}
