//! The key of encrypted sets, out of its file.

use highwater_core::key::KeyFile;
use js_sys::Uint8Array;
use serde::Serialize;
use wasm_bindgen::prelude::*;

use super::fault::Fault;
use super::options::object;

/// What names a key in public.
#[derive(Serialize)]
struct Named {
    fingerprint: String,
}

/// The key in a key file, as `{ fingerprint, secret }`; undefined when it takes a passphrase and that is empty.
///
/// # Errors
/// `key`: a wrong passphrase, or what is wrong with the file.
#[wasm_bindgen(js_name = openKey)]
pub fn open_key(file: &[u8], passphrase: &str) -> Result<JsValue, JsValue> {
    let file = KeyFile::parse(file).map_err(Fault::key)?;
    if file.is_locked() && passphrase.is_empty() {
        return Ok(JsValue::UNDEFINED);
    }
    let key = file.open(passphrase.as_bytes()).map_err(Fault::key)?;
    let named = object(&Named { fingerprint: key.fingerprint() })?;
    js_sys::Reflect::set(&named, &"secret".into(), &Uint8Array::from(&key.secret()[..]))?;
    Ok(named)
}
