//! What a job asks and tells its worker: methods of an object in JavaScript.

use js_sys::{Promise, Uint8Array};
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// The worker of a job.
    pub type Host;

    /// Files by number that are to be handed over, and the beginnings of others, `{ id, file, length }` each.
    #[wasm_bindgen(method)]
    pub(super) fn need(this: &Host, numbers: Vec<u32>, short: JsValue);

    /// News of a check.
    #[wasm_bindgen(method)]
    pub(super) fn told(this: &Host, news: JsValue);

    /// The next bytes of a restore, and how many there are in all.
    #[wasm_bindgen(method)]
    pub(super) fn restored(this: &Host, bytes: Uint8Array, end: f64);

    /// The end, with what it came to.
    #[wasm_bindgen(method)]
    pub(super) fn done(this: &Host, result: JsValue);

    /// It cannot go on.
    #[wasm_bindgen(method)]
    pub(super) fn broke(this: &Host, error: JsValue);

    /// A file that is no `File` of a browser.
    #[derive(Clone)]
    pub type Disk;

    /// Its length, in bytes, when it was opened.
    #[wasm_bindgen(method, getter)]
    pub(super) fn size(this: &Disk) -> f64;

    /// Some bytes from an offset on.
    #[wasm_bindgen(method)]
    pub(super) fn read(this: &Disk, at: f64, length: f64) -> Promise;

    /// Fails when it is not what it was when it was opened.
    #[wasm_bindgen(method)]
    pub(super) fn confirm(this: &Disk) -> Promise;

    /// It is not read on.
    #[wasm_bindgen(method)]
    pub(super) fn close(this: &Disk);

    /// What the host read of a short file.
    pub type Beginning;

    #[wasm_bindgen(method, getter)]
    pub(super) fn id(this: &Beginning) -> u32;

    #[wasm_bindgen(method, getter)]
    pub(super) fn bytes(this: &Beginning) -> Option<Uint8Array>;

    #[wasm_bindgen(method, getter)]
    pub(super) fn last(this: &Beginning) -> bool;

    #[wasm_bindgen(method, getter)]
    pub(super) fn error(this: &Beginning) -> Option<String>;
}
