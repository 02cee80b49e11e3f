//! `Fault`: what goes wrong, as an `Error` of JavaScript with a `code`.

use js_sys::{Error, Reflect};
use wasm_bindgen::{JsCast, JsValue};

/// One sentence, and a word for programs.
#[derive(Debug)]
pub(super) struct Fault {
    code: &'static str,
    message: String,
}

impl Fault {
    /// An option that makes no sense.
    pub(super) fn option(message: impl ToString) -> Self {
        Self { code: "option", message: message.to_string() }
    }

    /// A key or its passphrase that opens nothing.
    pub(super) fn key(message: impl ToString) -> Self {
        Self { code: "key", message: message.to_string() }
    }

    /// A point that there is none of, or that cannot be restored.
    pub(super) fn point(message: impl ToString) -> Self {
        Self { code: "point", message: message.to_string() }
    }

    /// Something that this program cannot do itself.
    pub(super) fn internal(message: impl ToString) -> Self {
        Self { code: "internal", message: message.to_string() }
    }
}

impl From<Fault> for JsValue {
    fn from(Fault { code, message }: Fault) -> Self {
        let error = Error::new(&message);
        // A new error takes any property.
        let _ = Reflect::set(&error, &"code".into(), &code.into());
        error.into()
    }
}

/// The sentence of what some call threw.
pub(super) fn sentence(thrown: &JsValue) -> String {
    match thrown.dyn_ref::<Error>() {
        Some(error) => error.message().into(),
        None => Reflect::get(thrown, &"message".into())
            .ok()
            .and_then(|message| message.as_string())
            .or_else(|| thrown.as_string())
            .unwrap_or_else(|| "it cannot be read".to_owned()),
    }
}
