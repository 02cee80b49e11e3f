//! `Environment`: the variables that a client is set up from; tests bring their own.

use std::collections::HashMap;
use std::env;
use std::fmt;
use std::path::PathBuf;

/// Variables by name: given ones, and the process's behind them or none. Its `Debug` text names no values.
#[derive(Clone)]
pub struct Environment {
    given: HashMap<String, String>,
    is_process: bool,
}

impl Environment {
    /// The variables of this process.
    #[must_use]
    pub fn process() -> Self {
        Self { given: HashMap::new(), is_process: true }
    }

    /// These and no others.
    #[must_use]
    pub fn of(variables: &[(&str, &str)]) -> Self {
        variables.iter().copied().collect()
    }

    /// The same with another value of a variable, such as `AWS_PROFILE` for a bucket of another account.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.given.insert(name.to_owned(), value.to_owned());
        self
    }

    /// The value of a variable; an empty one counts as none, and so does one that is no UTF-8.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<String> {
        let own = self.given.get(name).cloned();
        let value = own.or_else(|| if self.is_process { env::var(name).ok() } else { None });
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
        Self { given: variables.into_iter().map(own).collect(), is_process: false }
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.given.keys()).finish()
    }
}
