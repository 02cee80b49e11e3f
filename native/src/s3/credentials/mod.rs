//! Who asks: credentials, where they come from, and when they are fetched anew.

mod container;
mod instance;
mod keeper;
mod parse;
mod process;
mod source;

use std::fmt;
use std::sync::Arc;

use zeroize::Zeroizing;

pub use keeper::Keeper;
pub use source::Source;

/// An access key. Its secret parts are in no `Debug` text.
#[derive(Clone)]
pub struct Credentials {
    id: String,
    secret: Arc<Zeroizing<String>>,
    token: Option<Arc<Zeroizing<String>>>,
    expires: Option<i64>,
}

impl Credentials {
    /// A key by its id and secret, the token of a session if it is one, and the second since 1970 at which it expires.
    #[must_use]
    pub fn new(id: &str, secret: &str, token: Option<&str>, expires: Option<i64>) -> Self {
        let hidden = |text: &str| Arc::new(Zeroizing::new(text.to_owned()));
        Self { id: id.to_owned(), secret: hidden(secret), token: token.map(hidden), expires }
    }

    /// The id, which is no secret.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    pub(super) fn secret(&self) -> &str {
        &self.secret
    }

    pub(super) fn token(&self) -> Option<&str> {
        self.token.as_ref().map(|token| token.as_str())
    }

    /// Whether its parts can stand in a header: one that cannot would be told by an error that shows it.
    fn is_clean(&self) -> bool {
        let clean = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
        clean(&self.id) && clean(&self.secret) && self.token().is_none_or(clean)
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let token = self.token.as_ref().map(|_| "…");
        let mut shown = f.debug_struct("Credentials");
        shown
            .field("id", &self.id)
            .field("secret", &"…")
            .field("token", &token)
            .field("expires", &self.expires)
            .finish()
    }
}
