//! `Job`: brings one part of a root to its end: reads what the engine wants, many at a time, and tells its worker.

use std::cell::{Cell, RefCell, RefMut};
use std::rc::Rc;

use highwater_core::drive::{Answer, Want, What};
use highwater_core::inspect::Set;
use highwater_core::left_out::LeftOut;
use highwater_core::report::Note;
use js_sys::{Array, Date, Uint8Array};
use serde::Serialize;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};

use super::digests::Digests;
use super::fault::{Fault, sentence};
use super::files::{Files, answer, failed};
use super::host::{Beginning, Host};
use super::listing::Listing;
use super::named::Named;
use super::news::News;
use super::options::{Options, Verb, object};
use super::part::part;
use super::source::Source;
use super::task::Task;

/// How often the worker hears how far it is, in milliseconds.
const TELL: f64 = 80.0;

/// Beginnings of files up to this length, in bytes, are read by the page: to hand a file over takes the browser longer
/// than to read a short one.
const SHORT: u64 = 64 * 1024 + 1;

/// One part of one root on its way.
#[wasm_bindgen]
pub struct Job(Rc<Inner>);

struct Inner {
    host: Host,
    options: Options,
    digests: Option<Digests>,
    task: RefCell<Task>,
    files: RefCell<Files>,
    news: RefCell<News>,
    /// When the worker was told last.
    told: Cell<f64>,
    /// A turn will come once everything that is ready now has been taken.
    queued: Cell<bool>,
    paused: Cell<bool>,
    /// A piece was given out that nobody has written yet.
    held: Cell<bool>,
}

/// A short file's beginning that is wanted.
#[derive(Serialize)]
struct Short {
    id: u32,
    file: u32,
    length: f64,
}

/// What a look at the points comes to.
#[derive(Serialize)]
struct Points {
    points: Vec<Point>,
    findings: Vec<Note>,
}

/// A point, as `highwater list --json` has it.
#[derive(Serialize)]
struct Point {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    archives: Vec<String>,
    bytes: Option<f64>,
    group: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    #[serde(skip_serializing_if = "LeftOut::is_nothing")]
    left_out: LeftOut,
    name: String,
}

#[wasm_bindgen]
impl Job {
    /// Begins what the options say with a listing.
    ///
    /// # Errors
    /// `option`, `point` or `key`: what is wrong with them.
    #[wasm_bindgen(constructor)]
    pub fn new(options: JsValue, listing: Listing, host: Host, digests: Option<Digests>) -> Result<Self, JsValue> {
        let options = Options::of(options)?;
        let task = match options.verb {
            Verb::Restore => Task::Restore(Box::new(options.restore(listing.0)?)),
            Verb::Files => Task::Files(Box::new(options.files(listing.0)?)),
            Verb::Verify | Verb::List => {
                let mut drive = options.drive(listing.0)?;
                if digests.is_some() {
                    drive.ask_digests();
                }
                Task::Look(Box::new(drive))
            }
        };
        let inner = Inner {
            host,
            options,
            digests,
            task: RefCell::new(task),
            files: RefCell::default(),
            news: RefCell::default(),
            told: Cell::new(0.0),
            queued: Cell::new(false),
            paused: Cell::new(false),
            held: Cell::new(false),
        };
        Ok(Self(Rc::new(inner)))
    }

    /// Goes on, or begins.
    pub fn resume(&self) {
        self.0.paused.set(false);
        self.0.queue();
    }

    /// Does not go on until it is resumed.
    pub fn pause(&self) {
        self.0.paused.set(true);
    }

    /// Takes files that were asked for; in place of one that could not be opened comes the reason, as a text.
    #[expect(clippy::needless_pass_by_value, reason = "that is how arrays come")]
    pub fn files(&self, numbers: Vec<u32>, files: Array) {
        for (number, file) in numbers.into_iter().zip(files.iter()) {
            let why = file.as_string();
            let source = why.is_none().then(|| Source::of(file));
            let waited = self.0.files.borrow_mut().take(number, source.clone());
            for want in waited {
                match (&source, &why) {
                    (Some(source), _) => self.0.read(want, source.clone()),
                    (None, why) => self.0.answer(want.id, Answer::Failed(why.clone().unwrap_or_default())),
                }
            }
        }
    }

    /// Takes the beginnings that were asked for: for each its bytes, or why there are none.
    #[expect(clippy::needless_pass_by_value, reason = "that is how arrays come")]
    pub fn beginnings(&self, some: Array) {
        for one in some.iter().map(JsCast::unchecked_into::<Beginning>) {
            let came = match one.bytes() {
                Some(bytes) => answer((bytes.to_vec(), one.last())),
                None => Answer::Failed(one.error().unwrap_or_default()),
            };
            self.0.answer(one.id(), came);
        }
    }

    /// The piece that was given out has been written.
    pub fn written(&self) {
        self.0.held.set(false);
        self.0.queue();
    }

    /// Nobody waits for it any more.
    pub fn close(&self) {
        self.0.close();
    }
}

impl Inner {
    /// Has a turn soon.
    fn queue(self: &Rc<Self>) {
        if self.queued.replace(true) {
            return;
        }
        let this = Rc::clone(self);
        spawn_local(async move {
            this.queued.set(false);
            if let Err(thrown) = this.turn() {
                this.close();
                this.host.broke(thrown);
            }
        });
    }

    fn turn(self: &Rc<Self>) -> Result<(), JsValue> {
        if self.paused.get() {
            return Ok(());
        }
        let mut task = self.task.borrow_mut();
        match &mut *task {
            Task::Look(drive) => {
                drive.step();
                let now = Date::now();
                if self.options.verb == Verb::Verify && (drive.is_done() || now - self.told.get() >= TELL) {
                    self.told.set(now);
                    loop {
                        let (news, more) = self.news.borrow_mut().next(drive, self.options.tells())?;
                        self.host.told(news);
                        if !more {
                            break;
                        }
                    }
                }
                if drive.is_done() {
                    return self.finish(task);
                }
            }
            Task::Restore(restore) => {
                if self.held.get() {
                    return Ok(());
                }
                match restore.step().map_err(Fault::point)? {
                    Some(bytes) => {
                        self.held.set(true);
                        let end = restore.end().map_or(f64::NAN, |end| end as f64);
                        self.host.restored(Uint8Array::from(&bytes[..]), end);
                    }
                    None if restore.is_done() => return self.finish(task),
                    None => {}
                }
            }
            Task::Files(files) => {
                if let Some(held) = files.step().map_err(Fault::point)? {
                    let named = Named::of(&held, &self.options);
                    return self.end(task, object(&named)?);
                }
            }
            Task::Over => return Ok(()),
        }
        let wants = task.wants();
        drop(task);
        self.start(wants)
    }

    /// Says what it came to.
    fn finish(&self, mut task: RefMut<'_, Task>) -> Result<(), JsValue> {
        let result = match std::mem::replace(&mut *task, Task::Over) {
            Task::Look(drive) if self.options.verb == Verb::List => {
                let points = drive.sets().iter().map(Point::of).collect();
                object(&Points { points, findings: drive.finish().findings })?
            }
            Task::Look(drive) => part(&self.options, *drive)?,
            Task::Restore(restore) => restore.restored().into(),
            Task::Files(_) | Task::Over => JsValue::UNDEFINED,
        };
        self.end(task, result)
    }

    /// It is over, and came to this.
    fn end(&self, task: RefMut<'_, Task>, result: JsValue) -> Result<(), JsValue> {
        drop(task);
        self.close();
        self.host.done(result);
        Ok(())
    }

    /// Begins to read.
    fn start(self: &Rc<Self>, wants: Vec<Want>) -> Result<(), JsValue> {
        let (mut needed, mut short) = (Vec::new(), Vec::new());
        for want in wants {
            if want.what == What::Digest {
                self.digest(want.id);
                continue;
            }
            let mut files = self.files.borrow_mut();
            match (files.get(want.file), want.what) {
                (Some(source), _) => {
                    drop(files);
                    self.read(want, source);
                }
                (None, What::Bytes { at: 0, length }) if self.options.near && length <= SHORT => {
                    short.push(Short { id: want.id, file: want.file, length: length as f64 });
                }
                (None, _) => {
                    if files.wait(want) {
                        needed.push(want.file);
                    }
                }
            }
        }
        if !needed.is_empty() || !short.is_empty() {
            self.host.need(needed, object(&short)?);
        }
        Ok(())
    }

    fn read(self: &Rc<Self>, want: Want, source: Source) {
        let this = Rc::clone(self);
        spawn_local(async move {
            let came = match want.what {
                What::Length => Ok(Answer::Length(length(source.size()))),
                What::Unchanged => source.confirm().await.map(|()| Answer::Unchanged),
                What::Bytes { at, length } => this.some(want.file, source, at as f64, length as f64).await,
                What::Digest => return,
            };
            this.answer(want.id, came.unwrap_or_else(|thrown| failed(&thrown)));
        });
    }

    /// Bytes of a file from an offset on, at least one unless it ends there.
    async fn some(&self, number: u32, source: Source, at: f64, length: f64) -> Result<Answer, JsValue> {
        let mut stream = self.files.borrow_mut().stream(number, source, at);
        let (bytes, last) = stream.read(length).await?;
        if last || self.task.borrow().is_over() {
            stream.close();
        } else {
            self.files.borrow_mut().keep(stream);
        }
        Ok(answer((bytes, last)))
    }

    /// Has a digest made; one that the browser fails to make, the engine makes itself.
    fn digest(self: &Rc<Self>, id: u32) {
        let begun = match (&self.digests, &*self.task.borrow()) {
            (Some(digests), Task::Look(drive)) => digests.of(drive.offloaded(id).unwrap_or_default()),
            _ => return,
        };
        let this = Rc::clone(self);
        spawn_local(async move {
            let made = match begun {
                Ok(begun) => JsFuture::from(begun).await,
                Err(thrown) => Err(thrown),
            };
            let came = match made {
                Ok(made) if made.is_object() => Answer::Digest(Uint8Array::new(&made).to_vec()),
                Ok(_) => Answer::Failed("there is no digest of it".to_owned()),
                Err(thrown) => Answer::Failed(sentence(&thrown)),
            };
            this.answer(id, came);
        });
    }

    fn answer(self: &Rc<Self>, id: u32, came: Answer) {
        let mut task = self.task.borrow_mut();
        task.answer(id, came);
        let over = task.is_over();
        drop(task);
        if !over {
            self.queue();
        }
    }

    fn close(&self) {
        *self.task.borrow_mut() = Task::Over;
        self.files.borrow_mut().close();
    }
}

impl Point {
    fn of(set: &Set) -> Self {
        Self {
            archives: set.archives.clone(),
            bytes: set.bytes.map(|bytes| bytes as f64),
            group: set.group as f64,
            key: set.key.clone(),
            left_out: set.left_out.clone(),
            name: set.name.clone(),
        }
    }
}

/// A length as a browser says it.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "no file is longer than 2^53 bytes")]
fn length(bytes: f64) -> u64 {
    bytes as u64
}
