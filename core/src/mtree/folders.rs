//! `Folders`: which path a name in a list stands for.

use super::escape::unescape;
use crate::name::{Name, printable};

/// Where a list has come to. A name without a slash lies in the folder that was named last; `..` leaves it. A path with
/// a slash is one from the top, wherever the list has come to.
#[derive(Debug, Default)]
pub(super) struct Folders {
    at: At,
}

#[derive(Debug, Default)]
enum At {
    /// Nothing was entered: names are those of the top.
    #[default]
    Start,
    /// In the top, which was named.
    Top,
    In(Name),
    /// The top was left.
    Over,
}

impl Folders {
    /// The path that `text`, escaped as the list has it, stands for; none for the top itself. A folder is entered.
    pub(super) fn path(&mut self, text: &[u8], is_folder: bool) -> Result<Option<Name>, String> {
        let named = |error: crate::name::NameError| format!("the path '{}': {error}", printable(text));
        if text == b"." {
            return match self.at {
                At::Start | At::Top => {
                    self.at = At::Top;
                    Ok(None)
                }
                At::In(_) | At::Over => Err("a '.' which is not that of the top".to_owned()),
            };
        }
        if text.starts_with(b"/") {
            return Err(format!("the path '{}' is absolute", printable(text)));
        }
        if text.contains(&b'/') {
            let path = text.strip_prefix(b"./").unwrap_or(text);
            return Name::new(&unescape(path)?).map(Some).map_err(named);
        }
        let last = unescape(text)?;
        if last.contains(&b'/') {
            return Err(format!("the name '{}' has a slash in it", printable(text)));
        }
        let name = match &self.at {
            At::Start | At::Top => Name::new(&last).map_err(named)?,
            At::In(folder) => {
                // The last part alone first, as `..` in a folder is no other part of it.
                let name = Name::new(&last).map_err(named)?;
                folder.join(name.as_bytes()).map_err(named)?
            }
            At::Over => return Err(format!("'{}' follows the '..' that leaves the top", printable(text))),
        };
        if is_folder {
            self.at = At::In(name.clone());
        }
        Ok(Some(name))
    }

    /// Leaves the folder that the list has come to.
    pub(super) fn up(&mut self) -> Result<(), String> {
        self.at = match &self.at {
            At::In(folder) => folder.folder().map_or(At::Top, At::In),
            At::Top => At::Over,
            At::Start | At::Over => return Err("a '..' that leads out of what is listed".to_owned()),
        };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lie_in_the_folder_that_was_entered() {
        let mut folders = Folders::default();
        let mut path = |text: &str, is_folder| {
            let path = folders.path(text.as_bytes(), is_folder)?;
            Ok::<_, String>(path.map(|path| path.to_string()))
        };
        assert_eq!(path(".", true), Ok(None));
        assert_eq!(path("a", true), Ok(Some("a".to_owned())));
        assert_eq!(path("b\\sc", true), Ok(Some("a/b c".to_owned())));
        assert_eq!(path("./x/y", true), Ok(Some("x/y".to_owned())), "and nothing is entered");
        assert_eq!(path("x/y", false), Ok(Some("x/y".to_owned())));
        assert_eq!(path("f", false), Ok(Some("a/b c/f".to_owned())));
        for bad in ["\\056\\056", "\\057etc", "/etc", "./..", "a/../b", ".", "\\056", "./a//b", "a/"] {
            assert!(path(bad, false).is_err(), "{bad}");
        }
        for left in 0..3 {
            assert_eq!(folders.up(), Ok(()), "{left}");
        }
        assert!(folders.up().is_err() && folders.path(b"f", false).is_err());
        assert!(folders.path(b"./f", false).is_ok() && Folders::default().up().is_err());
        assert!(Folders::default().path(b"f", false).is_ok());
    }

    #[test]
    fn nesting_ends_where_names_do() {
        let mut folders = Folders::default();
        let depth = (0..).take_while(|_| folders.path(b"a", true).is_ok()).count();
        assert_eq!(depth, crate::name::LONGEST / 2);
    }
}
