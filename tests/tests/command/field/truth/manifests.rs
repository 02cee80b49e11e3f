//! Manifests that are changed on purpose, signed anew or not.

use std::fs;
use std::path::Path;

use highwater_core::codec::{Codec, Decoder, Flow, Sealing, encode_blob};
use highwater_core::digest::sha256_of;
use highwater_core::key::Key;
use serde_json::{Value, json};

/// What a manifest is called.
pub(crate) const MANIFEST: &str = "index.json.blob";

/// The manifest of the snapshot in `folder`.
pub(crate) fn read(folder: &Path) -> Value {
    let blob = fs::read(folder.join(MANIFEST)).expect("a manifest");
    let (mut decoder, mut text) = (Decoder::new(Codec::Blob(Sealing::Open), None), Vec::new());
    let pushed = decoder.push(&blob, &mut |decoded| {
        text.extend_from_slice(decoded);
        Flow::Continue(())
    });
    assert!(pushed.is_ok() && decoder.end().is_ok());
    serde_json::from_slice(&text).expect("JSON")
}

/// Puts another manifest into the folder.
pub(crate) fn write(folder: &Path, manifest: &Value) {
    write_text(folder, &serde_json::to_string_pretty(manifest).expect("JSON"));
}

/// The same with any text.
pub(crate) fn write_text(folder: &Path, text: &str) {
    let longer = vec![0; text.len() + 1];
    fs::write(folder.join(MANIFEST), encode_blob(text.as_bytes(), &longer, None)).expect("it is written");
}

/// Signs a manifest.
pub(crate) fn sign(manifest: &mut Value, key: &Key) {
    let mut signed = manifest.clone();
    let members = signed.as_object_mut().expect("an object");
    members.remove("signature");
    members.remove("unprotected");
    let signature: String = key.sign(signed.to_string().as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    manifest["signature"] = signature.into();
}

/// Names another key in it, or none.
pub(crate) fn name_key(manifest: &mut Value, fingerprint: Option<&str>) {
    let unprotected = manifest["unprotected"].as_object_mut().expect("an object");
    match fingerprint {
        Some(fingerprint) => _ = unprotected.insert("key-fingerprint".to_owned(), fingerprint.into()),
        None => _ = unprotected.remove("key-fingerprint"),
    }
}

/// The entry of a file that has these bytes, which are put into the folder.
pub(crate) fn add_blob(folder: &Path, name: &str, bytes: &[u8], mode: &str) -> Value {
    fs::write(folder.join(name), bytes).expect("it is written");
    json!({ "filename": name, "crypt-mode": mode, "size": bytes.len(), "csum": sha256_of(bytes).to_string() })
}
