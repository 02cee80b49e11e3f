//! `Exec`: any folder that commands of the operator's make hold still, and may list.
//!
//! The folder is opened when it holds still, as the command may have mounted it. A dry run runs no command, and reads
//! what lies there.
//!
//! The command that lists prints fields, each with a NUL behind it:
//!
//! | field | |
//! |---|---|
//! | `full`, or `since ` and what the list of the newest point is called | whether all names follow, or what changed since that list |
//! | what this list is called | what the command is given the next time as `HIGHWATER_SINCE`; may be empty |
//! | names, relative to the folder | of `full`: what is of the state: files, links, and folders that matter for themselves |
//! | | of `since`: `+` and what is new or changed, `-` and what is gone, with all that lay in it |
//!
//! What a list of changes does not name is taken from the newest point, and not even looked at in the folder.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;

use highwater_core::mtree::Entry;
use highwater_core::name::{Name, printable};

use super::hook::Hook;
use super::parent::Base;
use super::{Changes, Frozen, Listed, Set, Source};
use crate::disk::Disk;
use crate::error::Error;
use crate::store::{Files, Links};
use crate::watch::Watch;

/// No field is longer, in bytes.
const LONGEST: usize = 64 << 10;

/// What a list is called is no longer, in bytes.
const LONGEST_TOKEN: usize = 1 << 10;

/// A folder, and the commands.
pub struct Exec {
    folder: Arc<dyn Disk>,
    path: PathBuf,
    hook: Hook,
    list: Option<OsString>,
}

impl Exec {
    /// The folder of this path; the commands that make it hold still, and the one that lists it, if there is one.
    #[must_use]
    pub fn new(folder: Arc<dyn Disk>, path: PathBuf, hook: Hook, list: Option<OsString>) -> Self {
        Self { folder, path, hook, list }
    }

    fn read(&self, base: Option<Base>, watch: &Watch<'_>) -> Result<Frozen, Error> {
        let root = Files::open(&self.path, Links::Beneath).map_err(Error::io("open", &self.path))?;
        let (listed, token) = match &self.list {
            None => (Listed::All, None),
            Some(list) => {
                let mut fields = Fields { since: base.as_ref().map(|base| base.token.clone()), ..Fields::default() };
                self.hook.listen(list, watch, &mut |bytes| fields.push(bytes))?;
                fields.end(base.map(|base| base.entries).unwrap_or_default())?
            }
        };
        Ok(frozen(Arc::new(root), listed, token, Vec::new(), Changes::BreakIt))
    }
}

fn frozen(root: Arc<dyn Disk>, listed: Listed, token: Option<String>, notes: Vec<String>, changes: Changes) -> Frozen {
    Frozen {
        root: Some(root),
        listed,
        elsewhere: Vec::new(),
        identity: None,
        position: None,
        notes,
        wrong: Vec::new(),
        token,
        changes,
        tokens: HashMap::new(),
        is_settled: |_| false,
    }
}

impl Source for Exec {
    fn kind(&self) -> &'static str {
        "exec"
    }

    fn store(&self) -> &dyn Disk {
        &*self.folder
    }

    fn freeze(&mut self, set: &Set<'_>, watch: &Watch<'_>) -> Result<Frozen, Error> {
        if set.dry_run {
            let notes = vec!["a dry run runs no command: these are the files that lie in the folder now".to_owned()];
            return Ok(frozen(Arc::clone(&self.folder), Listed::All, None, notes, Changes::Expected));
        }
        let base = if self.list.is_some() { Base::newest(set.disk, self.kind(), watch)? } else { None };
        let entered = self.hook.freeze(base.as_ref().map(|base| &*base.token), watch);
        let frozen = entered.and_then(|()| self.read(base, watch));
        if frozen.is_err()
            && let Err(error) = self.hook.thaw()
        {
            watch.notice(error.to_string());
        }
        frozen
    }

    /// The command may unmount it.
    fn stays(&self) -> bool {
        false
    }

    fn thaw(&mut self, _watch: &Watch<'_>) -> Result<(), Error> {
        self.hook.thaw()
    }
}

/// What a command printed so far.
#[derive(Default)]
struct Fields {
    /// What the list of the newest point is called.
    since: Option<String>,
    /// The field that is not over.
    field: Vec<u8>,
    count: u64,
    is_since: bool,
    token: Option<String>,
    names: Vec<Name>,
    gone: Vec<Name>,
}

/// What is said of a list that is none.
fn odd(what: String) -> Error {
    Error::failed(format!("the command of --list printed no list: {what}; no point was made"))
}

impl Fields {
    fn push(&mut self, bytes: &[u8]) -> Result<(), Error> {
        for piece in bytes.split_inclusive(|byte| *byte == 0) {
            self.field.extend_from_slice(piece);
            if self.field.len() > LONGEST {
                return Err(odd(format!("field {} has more than {LONGEST} bytes", self.count + 1)));
            }
            if self.field.pop_if(|byte| *byte == 0).is_some() {
                let field = std::mem::take(&mut self.field);
                self.count += 1;
                self.take(&field)?;
            }
        }
        Ok(())
    }

    fn take(&mut self, field: &[u8]) -> Result<(), Error> {
        let shown = || printable(field);
        match (self.count, field) {
            (1, b"full") => {}
            (1, field) => {
                let Some(token) = field.strip_prefix(b"since ") else {
                    return Err(odd(format!("it begins with '{}', and must with 'full' or 'since'", shown())));
                };
                if self.since.as_ref().is_none_or(|since| since.as_bytes() != token) {
                    return Err(odd(match &self.since {
                        Some(since) => {
                            format!("it is what changed since '{}', and was asked since '{since}'", printable(token))
                        }
                        None => format!("it is what changed since '{}', and there is no such point", printable(token)),
                    }));
                }
                self.is_since = true;
            }
            (2, b"") => {}
            (2, token) => {
                let text = std::str::from_utf8(token).ok().filter(|text| !text.chars().any(char::is_control));
                let text = text.filter(|text| text.len() <= LONGEST_TOKEN).ok_or_else(|| {
                    odd(format!("it is called '{}', which is no line of at most {LONGEST_TOKEN} bytes", shown()))
                })?;
                self.token = Some(text.to_owned());
            }
            (number, field) => {
                let (names, name) = match field.split_first() {
                    _ if !self.is_since => (&mut self.names, field),
                    Some((b'+', name)) => (&mut self.names, name),
                    Some((b'-', name)) => (&mut self.gone, name),
                    _ => return Err(odd(format!("field {number}, '{}', begins with neither '+' nor '-'", shown()))),
                };
                let name = Name::new(name.strip_suffix(b"/").unwrap_or(name));
                names.push(name.map_err(|error| odd(format!("field {number}: {error}")))?);
            }
        }
        Ok(())
    }

    /// The list is over.
    fn end(self, before: Vec<Entry>) -> Result<(Listed, Option<String>), Error> {
        if !self.field.is_empty() {
            return Err(odd(format!("it ends within field {}: it was cut", self.count + 1)));
        }
        if self.count < 2 {
            return Err(odd("it ends before what it is called".to_owned()));
        }
        let Self { is_since, token, names, gone, .. } = self;
        let listed = if is_since { Listed::Since { before, changed: names, gone } } else { Listed::Those(names) };
        Ok((listed, token))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str, since: Option<&str>) -> Result<(Listed, Option<String>), String> {
        let whole = |step: usize| {
            let mut fields = Fields { since: since.map(ToOwned::to_owned), ..Fields::default() };
            let pushed = text.as_bytes().chunks(step).try_for_each(|piece| fields.push(piece));
            pushed.and_then(|()| fields.end(Vec::new())).map_err(|error| error.to_string())
        };
        let said = |result: &Result<(Listed, Option<String>), String>| result.as_ref().err().cloned();
        assert_eq!(said(&whole(1)), said(&whole(text.len().max(1))));
        whole(7)
    }

    fn told(names: &[Name]) -> Vec<String> {
        names.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn lists_are_read_whole_or_of_what_changed() {
        let Ok((Listed::Those(names), token)) = parse("full\0t 1\0a\0b/c\0d/\0", None) else { panic!("no list") };
        assert_eq!(
            (told(&names), token.as_deref()),
            (vec!["a".to_owned(), "b/c".to_owned(), "d".to_owned()], Some("t 1"))
        );
        let list = parse("since t 1\0\0+a\0-b\0", Some("t 1"));
        let Ok((Listed::Since { changed, gone, .. }, None)) = list else { panic!("no list") };
        assert_eq!((told(&changed), told(&gone)), (vec!["a".to_owned()], vec!["b".to_owned()]));
        assert!(matches!(parse("full\0\0", Some("x")), Ok((Listed::Those(names), None)) if names.is_empty()));
    }

    #[test]
    fn what_is_no_list_is_refused() {
        for (text, since, what) in [
            ("", None, "before what it is called"),
            ("full\0", None, "before what it is called"),
            ("full\0\0a", None, "it was cut"),
            ("fu", None, "it was cut"),
            ("all\0", None, "must with 'full' or 'since'"),
            ("since 1\0", None, "no such point"),
            ("since 1\0", Some("2"), "asked since '2'"),
            ("since 1\0\0a\0", Some("1"), "neither '+' nor '-'"),
            ("full\0a\nb\0", None, "no line"),
            ("full\0\0/etc/passwd\0", None, "field 3"),
            ("full\0\0a/../../b\0", None, "field 3"),
            ("full\0\0\0", None, "field 3"),
            ("since 1\0\0-..\0", Some("1"), "field 3"),
        ] {
            match parse(text, since) {
                Err(error) => assert!(error.contains(what), "{text:?}: {error}"),
                Ok(_) => panic!("{text:?} is taken for a list"),
            }
        }
        assert!(parse(&format!("full\0{}\0", "t".repeat(LONGEST_TOKEN + 1)), None).is_err());
        assert!(parse(&"f".repeat(LONGEST + 1), None).is_err_and(|error| error.contains("more than")));
    }
}
