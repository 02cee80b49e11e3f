//! `Environment`: the variables that a client is set up from; tests bring their own.

use std::collections::HashMap;
use std::env;
use std::path::PathBuf;

/// Variables by name: the process's, or given ones.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    given: Option<HashMap<String, String>>,
}

impl Environment {
    /// The variables of this process.
    #[must_use]
    pub fn process() -> Self {
        Self { given: None }
    }

    /// These and no others.
    #[must_use]
    pub fn of(variables: &[(&str, &str)]) -> Self {
        variables.iter().copied().collect()
    }

    /// The value of a variable; an empty one counts as none, and so does one that is no UTF-8.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<String> {
        let value = match &self.given {
            Some(given) => given.get(name).cloned(),
            None => env::var(name).ok(),
        };
        value.filter(|value| !value.is_empty())
    }

    /// Whether a variable says yes.
    #[must_use]
    pub fn is_true(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    /// The file that a variable names, or the one at a place below the home folder.
    #[must_use]
    pub fn file(&self, name: &str, below_home: &str) -> Option<PathBuf> {
        let home = || self.get("HOME").map(PathBuf::from);
        match self.get(name) {
            Some(path) => match path.strip_prefix("~/") {
                Some(inner) => Some(home()?.join(inner)),
                None => Some(path.into()),
            },
            None => Some(home()?.join(below_home)),
        }
    }
}

impl<'a> FromIterator<(&'a str, &'a str)> for Environment {
    /// The last one of a name holds.
    fn from_iter<I: IntoIterator<Item = (&'a str, &'a str)>>(variables: I) -> Self {
        let own = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        Self { given: Some(variables.into_iter().map(own).collect()) }
    }
}
