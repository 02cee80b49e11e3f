//! News of a check, for whoever draws it: plain objects, whose arrays go to another thread without being copied.

use std::collections::VecDeque;

use highwater_core::drive::{Drive, Event, Known};
use js_sys::{Array, Float64Array, Object, Reflect, Uint32Array};
use serde::Serialize;
use wasm_bindgen::JsValue;

use super::options::object;

/// How much one piece of news tells of: a page that takes it in must not freeze.
const NEWS: usize = 4096;

/// What was not told yet, and how many sets were.
#[derive(Default)]
pub(super) struct News {
    events: VecDeque<Event>,
    sets: usize,
}

/// How far a check is.
#[derive(Serialize)]
struct Progress {
    done: f64,
    expected: f64,
    complete: bool,
}

impl News {
    /// What became known since this was asked last, or as much of it as is told at a time, and whether there is more.
    /// Every part knows of all sets: one of them is to tell.
    ///
    /// `claims` has, for each new claim, its group of sets and the first set that needs it; `settled` the numbers of
    /// claims, from 0, each with 1 (sound), 2 (damaged) or 3 (unreadable); `sets` the names of new sets, and `spans`
    /// for each its group and how long what it restores is.
    pub(super) fn next(&mut self, drive: &mut Drive, sets: bool) -> Result<(JsValue, bool), JsValue> {
        let (mut claims, mut settled, mut spans) = (Vec::new(), Vec::new(), Vec::new());
        self.events.extend(drive.events());
        for event in self.events.drain(..self.events.len().min(NEWS)) {
            match event {
                Event::Claim { group, from, .. } => claims.extend([group as f64, from as f64]),
                Event::Settled { number, known } => {
                    let known = match known {
                        Known::Sound => 1,
                        Known::Damaged => 2,
                        Known::Unreadable => 3,
                    };
                    settled.extend([number, known]);
                }
            }
        }
        let new = drive.sets().get(self.sets..).filter(|_| sets).unwrap_or_default();
        let told = new.len().min(NEWS);
        let names: Array = new.iter().take(NEWS).map(|set| JsValue::from(&set.name)).collect();
        spans.extend(new.iter().take(NEWS).flat_map(|set| [set.group as f64, set.bytes.unwrap_or_default() as f64]));
        let more = !self.events.is_empty() || new.len() > told;
        self.sets += told;
        let progress = drive.progress();
        let progress =
            Progress { done: progress.done as f64, expected: progress.expected as f64, complete: progress.complete };
        let news = Object::new();
        for (name, value) in [
            ("claims", Float64Array::from(&claims[..]).into()),
            ("settled", Uint32Array::from(&settled[..]).into()),
            ("sets", names.into()),
            ("spans", Float64Array::from(&spans[..]).into()),
            ("progress", object(&progress)?),
        ] {
            Reflect::set(&news, &name.into(), &value)?;
        }
        Ok((news.into(), more))
    }
}
