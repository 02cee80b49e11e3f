//! `Digests`: SHA-256 by the browser, which uses the processor's own instructions: here, or in a worker that does
//! nothing else.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use js_sys::{Array, ArrayBuffer, Function, Promise, Reflect, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{MessageEvent, MessagePort, SubtleCrypto};

const NAME: &str = "SHA-256";

#[wasm_bindgen]
extern "C" {
    /// What goes over a port: a request has a length, an answer a digest or an error.
    type Message;

    #[wasm_bindgen(method, getter)]
    fn id(this: &Message) -> u32;

    #[wasm_bindgen(method, getter)]
    fn buffer(this: &Message) -> ArrayBuffer;

    #[wasm_bindgen(method, getter)]
    fn length(this: &Message) -> u32;

    #[wasm_bindgen(method, getter)]
    fn digest(this: &Message) -> Option<Uint8Array>;
}

/// Makes digests of bytes in the engine's memory.
#[wasm_bindgen]
#[derive(Clone)]
pub struct Digests {
    subtle: SubtleCrypto,
    /// At its other end is a worker that serves.
    apart: Option<Rc<Apart>>,
}

struct Apart {
    port: MessagePort,
    state: RefCell<State>,
}

#[derive(Default)]
struct State {
    asked: u32,
    waiting: HashMap<u32, Function>,
    /// Buffers that came back: fresh memory for every piece takes longer than to copy into it.
    spare: Vec<ArrayBuffer>,
}

#[wasm_bindgen]
impl Digests {
    /// With a port, whose other end is [served](serve_digests); undefined where the browser has none for pages, as
    /// where a server gives them over plain http.
    #[must_use]
    pub fn begin(port: Option<MessagePort>) -> Option<Self> {
        let subtle = subtle()?;
        let apart = port.map(|port| Rc::new(Apart { port, state: RefCell::default() }));
        if let Some(apart) = &apart {
            let hears = Rc::clone(apart);
            let hear = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
                hears.answered(event.data().unchecked_ref());
            });
            apart.port.set_onmessage(Some(hear.into_js_value().unchecked_ref()));
        }
        Some(Self { subtle, apart })
    }

    /// The same once more, for a job to take.
    #[must_use]
    pub fn again(&self) -> Self {
        self.clone()
    }
}

impl Digests {
    /// Begins to make the digest of some bytes, which are copied at once.
    pub(super) fn of(&self, bytes: &[u8]) -> Result<Promise, JsValue> {
        match &self.apart {
            None => self.subtle.digest_with_str_and_u8_array(NAME, bytes),
            Some(apart) => apart.ask(bytes),
        }
    }
}

impl Apart {
    fn ask(&self, bytes: &[u8]) -> Result<Promise, JsValue> {
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        let mut state = self.state.borrow_mut();
        let found = state.spare.iter().position(|buffer| buffer.byte_length() >= length);
        let buffer = found.map_or_else(|| ArrayBuffer::new(length), |found| state.spare.swap_remove(found));
        Uint8Array::new_with_byte_offset_and_length(&buffer, 0, length).copy_from(bytes);
        state.asked = state.asked.wrapping_add(1);
        let id = state.asked;
        let message = message(id, &buffer)?;
        Reflect::set(&message, &"length".into(), &length.into())?;
        self.port.post_message_with_transferable(&message, &Array::of1(&buffer))?;
        Ok(Promise::new(&mut |give, _| {
            state.waiting.insert(id, give);
        }))
    }

    /// An answer without a digest gives none: then the engine makes it itself.
    fn answered(&self, answer: &Message) {
        let mut state = self.state.borrow_mut();
        let waits = state.waiting.remove(&answer.id());
        state.spare.push(answer.buffer());
        if state.waiting.is_empty() {
            state.spare.clear();
        }
        drop(state);
        if let Some(give) = waits {
            let _ = give.call1(&JsValue::UNDEFINED, &answer.digest().map_or(JsValue::UNDEFINED, Into::into));
        }
    }
}

/// Makes the digests that are asked for at the other end of `port`.
#[wasm_bindgen(js_name = serveDigests)]
pub fn serve_digests(port: MessagePort) {
    let Some(subtle) = subtle() else { return };
    let to = port.clone();
    let hear = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
        let (subtle, port, asked) = (subtle.clone(), port.clone(), event.data().unchecked_into::<Message>());
        spawn_local(async move {
            // A port that takes no answer belongs to a worker that is gone.
            let _ = serve(&subtle, &port, &asked).await;
        });
    });
    to.set_onmessage(Some(hear.into_js_value().unchecked_ref()));
}

async fn serve(subtle: &SubtleCrypto, port: &MessagePort, asked: &Message) -> Result<(), JsValue> {
    let buffer = asked.buffer();
    let bytes = Uint8Array::new_with_byte_offset_and_length(&buffer, 0, asked.length());
    let made = match subtle.digest_with_str_and_js_u8_array(NAME, &bytes) {
        Ok(made) => JsFuture::from(made).await,
        Err(error) => Err(error),
    };
    let answer = message(asked.id(), &buffer)?;
    if let Ok(made) = made {
        Reflect::set(&answer, &"digest".into(), &Uint8Array::new(&made))?;
    }
    port.post_message_with_transferable(&answer, &Array::of1(&buffer))
}

fn message(id: u32, buffer: &ArrayBuffer) -> Result<JsValue, JsValue> {
    let message = js_sys::Object::new();
    Reflect::set(&message, &"id".into(), &id.into())?;
    Reflect::set(&message, &"buffer".into(), buffer)?;
    Ok(message.into())
}

/// What makes them, where there is such a thing.
fn subtle() -> Option<SubtleCrypto> {
    let crypto = Reflect::get(&js_sys::global(), &"crypto".into()).ok().filter(JsValue::is_object)?;
    let subtle = Reflect::get(&crypto, &"subtle".into()).ok().filter(JsValue::is_object)?;
    Some(subtle.unchecked_into())
}
