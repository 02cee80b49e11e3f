//! Small files that set the client up: profiles, tokens, certificates. The one place of this room that reads files.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// No such file is longer.
const LONGEST: u64 = 4 << 20;

/// A file's bytes; `None` if there is no such file.
pub(super) fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut bytes = Vec::new();
    file.take(LONGEST + 1).read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > LONGEST) {
        return Err(io::Error::other("it is longer than 4 MiB"));
    }
    Ok(Some(bytes))
}

/// A file's text; `None` if there is no such file.
pub(super) fn text(path: &Path) -> io::Result<Option<String>> {
    read(path)?.map(|bytes| String::from_utf8(bytes).map_err(|_| io::Error::other("it is no UTF-8"))).transpose()
}
