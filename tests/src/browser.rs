//! `Browser`: a real Chromium without a window, told what to do over two pipes by the DevTools protocol.
//!
//! It listens on nothing: messages, each ended by a NUL byte, go through its third and fourth file descriptors. It is
//! ended, with all its processes, when the value goes out of scope.

mod cost;

pub use cost::spent;

use std::collections::VecDeque;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

/// No answer and no state that a test waits for may take longer.
const PATIENCE: Duration = Duration::from_secs(300);

/// What a headless browser needs to keep to itself.
const FLAGS: [&str; 11] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--remote-debugging-pipe",
    "--window-size=1000,900",
];

/// What the page is made of.
const SOURCES: [&str; 10] = [
    "web/api",
    "web/builder",
    "web/index.html",
    "web/page",
    "web/sample",
    "web/style.css",
    "web/words",
    "web/worker",
    "wasm/src",
    "core/src",
];

/// The page in one file, as `web/build` made it of the sources as they are.
///
/// # Panics
/// When it is not there, or older than a source.
#[track_caller]
pub fn page() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
    let page = root.join("target/web/highwater.html");
    let changed = |path: &Path| fs::metadata(path).and_then(|meta| meta.modified()).ok();
    let built = changed(&page).unwrap_or_else(|| panic!("there is no {}: run web/build", page.display()));
    let mut waiting: Vec<PathBuf> = SOURCES.map(|source| root.join(source)).to_vec();
    while let Some(path) = waiting.pop() {
        if path.is_dir() {
            waiting.extend(fs::read_dir(&path).expect("a folder").map(|entry| entry.expect("an entry").path()));
        } else {
            let newer = changed(&path).expect("a source is there") > built;
            assert!(!newer, "{} is older than {}: run web/build", page.display(), path.display());
        }
    }
    page
}

/// A browser with one page.
pub struct Browser {
    child: Child,
    to: ChildStdin,
    messages: Receiver<Value>,
    next: u64,
    session: String,
    /// Events that nobody asked for yet.
    events: VecDeque<Value>,
    /// Its profile, and what it downloads.
    folder: TempDir,
}

impl Browser {
    /// Starts one.
    ///
    /// # Panics
    /// When there is no Chromium, or it does not answer.
    #[track_caller]
    pub fn start() -> Self {
        let folder = tempfile::tempdir().expect("a scratch folder");
        // The shell puts the pipes where Chromium looks for them.
        let mut shell = Command::new("sh");
        shell.args(["-c", "exec chromium \"$@\" 3<&0 4>&1 </dev/null >/dev/null 2>&1", "chromium"]);
        shell
            .args(FLAGS)
            .arg(format!("--user-data-dir={}", folder.path().join("profile").display()))
            .arg("about:blank");
        shell.stdin(Stdio::piped()).stdout(Stdio::piped()).process_group(0);
        let mut child = shell.spawn().expect("a shell");
        let (to, from) = (child.stdin.take().expect("a pipe"), child.stdout.take().expect("a pipe"));
        let (send, messages) = channel();
        thread::spawn(move || {
            let mut from = BufReader::new(from);
            let mut message = Vec::new();
            while from.read_until(0, &mut message).is_ok_and(|read| read > 0) {
                message.pop();
                let Ok(value) = serde_json::from_slice(&message) else { break };
                if send.send(value).is_err() {
                    break;
                }
                message.clear();
            }
        });
        let (next, session, events) = (0, String::new(), VecDeque::new());
        let mut browser = Self { child, to, messages, next, session, events, folder };
        let version = browser.call("Browser.getVersion", json!({}));
        assert!(version["product"].is_string(), "no browser answers; tests/run installs chromium: {version}");
        let downloads = json!({ "behavior": "allow", "downloadPath": browser.downloads(), "eventsEnabled": true });
        browser.call("Browser.setDownloadBehavior", downloads);
        browser
    }

    /// Where downloads go.
    pub fn downloads(&self) -> PathBuf {
        self.folder.path().join("downloads")
    }

    /// Opens a new page, with `before` run in it before its own scripts, and closes the one before.
    #[track_caller]
    pub fn open(&mut self, address: &str, before: &str) {
        self.session.clear();
        let old = self.call("Target.getTargets", json!({}));
        let target = self.call("Target.createTarget", json!({ "url": "about:blank" }))["targetId"].clone();
        for old in old["targetInfos"].as_array().into_iter().flatten().filter(|old| old["type"] == "page") {
            self.call("Target.closeTarget", json!({ "targetId": old["targetId"] }));
        }
        let attached = self.call("Target.attachToTarget", json!({ "targetId": target, "flatten": true }));
        attached["sessionId"].as_str().expect("a session").clone_into(&mut self.session);
        for domain in ["Page", "Runtime", "DOM", "Log"] {
            self.call(&format!("{domain}.enable"), json!({}));
        }
        // A bug that `tests/planted` wrote into the page's scripts is on when they see its name.
        let planted =
            std::env::var("HIGHWATER_PLANTED").map(|bug| format!("globalThis.HIGHWATER_PLANTED = {bug:?};\n"));
        let before = planted.unwrap_or_default() + before;
        if !before.is_empty() {
            self.call("Page.addScriptToEvaluateOnNewDocument", json!({ "source": before }));
        }
        self.events.clear();
        self.call("Page.navigate", json!({ "url": address }));
        self.wait_for("Page.loadEventFired");
    }

    /// Sends a command and gives its result.
    #[track_caller]
    pub fn call(&mut self, method: &str, params: Value) -> Value {
        match self.try_call(method, params) {
            Ok(result) => result,
            Err(error) => panic!("{method}: {error}"),
        }
    }

    fn try_call(&mut self, method: &str, params: Value) -> Result<Value, String> {
        self.next += 1;
        let mut message = json!({ "id": self.next, "method": method, "params": params });
        if !self.session.is_empty() {
            message["sessionId"] = Value::from(self.session.as_str());
        }
        let mut bytes = message.to_string().into_bytes();
        bytes.push(0);
        self.to.write_all(&bytes).map_err(|error| error.to_string())?;
        let until = Instant::now() + PATIENCE;
        loop {
            let message = self.receive(until)?;
            if message["id"] != self.next {
                self.events.push_back(message);
                continue;
            }
            return match message.get("error") {
                Some(error) => Err(error.to_string()),
                None => Ok(message["result"].clone()),
            };
        }
    }

    fn receive(&mut self, until: Instant) -> Result<Value, String> {
        let left = until.saturating_duration_since(Instant::now());
        self.messages.recv_timeout(left).map_err(|_| format!("no answer within {PATIENCE:?}"))
    }

    #[track_caller]
    fn wait_for(&mut self, event: &str) {
        let until = Instant::now() + PATIENCE;
        while !self.events.drain(..).any(|message| message["method"] == event) {
            let message = self.receive(until).unwrap_or_else(|error| panic!("{event}: {error}"));
            self.events.push_back(message);
        }
    }

    /// What an expression comes to in the page; a promise is awaited.
    #[track_caller]
    pub fn eval(&mut self, expression: &str) -> Value {
        let params =
            json!({ "expression": expression, "awaitPromise": true, "returnByValue": true, "userGesture": true });
        let result = self.call("Runtime.evaluate", params);
        let thrown = &result["exceptionDetails"];
        assert!(thrown.is_null(), "{expression}\nthrows {thrown}");
        result["result"]["value"].clone()
    }

    /// Waits until an expression comes to something else than null, false, 0 or an empty text, and gives it.
    ///
    /// The page itself looks again and again: a question for each look would cost more than what is waited for.
    #[track_caller]
    pub fn until(&mut self, expression: &str) -> Value {
        let until = Instant::now() + PATIENCE;
        let look = format!(
            "(async () => {{
                for (const end = performance.now() + 1000; ;) {{
                    const value = await ({expression});
                    if ((value ?? false) !== false && value !== 0 && value !== '') return value;
                    if (performance.now() > end) return null;
                    await new Promise((go) => setTimeout(go, 5));
                }}
            }})()"
        );
        loop {
            let value = self.eval(&look);
            if !value.is_null() {
                return value;
            }
            if Instant::now() > until {
                let value = self.eval(expression);
                let text = self.eval("document.body.innerText");
                panic!("{expression} stays {value} in\n{}", text.as_str().unwrap_or_default());
            }
        }
    }

    /// Gives files or a folder to the file input that `selector` finds.
    #[track_caller]
    pub fn choose(&mut self, selector: &str, paths: &[&Path]) {
        let document = self.call("DOM.getDocument", json!({}));
        let found = json!({ "nodeId": document["root"]["nodeId"], "selector": selector });
        let node = self.call("DOM.querySelector", found)["nodeId"].clone();
        let files: Vec<&str> = paths.iter().map(|path| path.to_str().expect("a plain path")).collect();
        self.call("DOM.setFileInputFiles", json!({ "files": files, "nodeId": node }));
    }

    /// Presses a key and lets it go: `Tab`, `Enter`, `Space`, `ArrowDown`, or with `Shift+` before it.
    ///
    /// # Panics
    /// For any other.
    #[track_caller]
    pub fn press(&mut self, key: &str) {
        let (shift, name) = key.strip_prefix("Shift+").map_or((0, key), |name| (8, name));
        let (name, code, number, text) = match name {
            "Tab" => ("Tab", "Tab", 9, ""),
            "Enter" => ("Enter", "Enter", 13, "\r"),
            "Space" => (" ", "Space", 32, " "),
            "ArrowDown" => ("ArrowDown", "ArrowDown", 40, ""),
            "ArrowUp" => ("ArrowUp", "ArrowUp", 38, ""),
            other => panic!("no key {other}"),
        };
        for kind in ["keyDown", "keyUp"] {
            let mut event = json!({ "type": kind, "key": name, "code": code, "modifiers": shift });
            event["windowsVirtualKeyCode"] = number.into();
            if kind == "keyDown" && !text.is_empty() {
                event["text"] = text.into();
            }
            self.call("Input.dispatchKeyEvent", event);
        }
    }

    /// Has the page shown light or dark, so many CSS pixels wide, with no bar to scroll by.
    #[track_caller]
    pub fn look(&mut self, scheme: &str, width: u32) {
        // Nothing is on its way from one colour to the other when it is looked at.
        let features = json!([
            { "name": "prefers-color-scheme", "value": scheme },
            { "name": "prefers-reduced-motion", "value": "reduce" },
        ]);
        self.call("Emulation.setEmulatedMedia", json!({ "features": features }));
        let metrics = json!({ "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false });
        self.call("Emulation.setDeviceMetricsOverride", metrics);
        self.call("Emulation.setScrollbarsHidden", json!({ "hidden": true }));
    }

    /// Clicks the element that `selector` finds, and gives the file that is downloaded then.
    #[track_caller]
    pub fn download(&mut self, selector: &str) -> Vec<u8> {
        let folder = self.downloads();
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("a folder");
        self.eval(&format!("document.querySelector({selector:?}).click()"));
        self.downloaded()
    }

    /// The file that is being downloaded, once it is whole.
    #[track_caller]
    pub fn downloaded(&mut self) -> Vec<u8> {
        let folder = self.downloads();
        let until = Instant::now() + PATIENCE;
        loop {
            let done = |event: &Value| {
                event["method"] == "Browser.downloadProgress" && event["params"]["state"] == "completed"
            };
            if self.events.drain(..).any(|event| done(&event)) {
                let mut files = fs::read_dir(&folder).expect("the folder").map(|entry| entry.expect("an entry").path());
                let file = files.next().expect("a downloaded file");
                return fs::read(file).expect("its bytes");
            }
            let message = self.receive(until).unwrap_or_else(|error| panic!("a download: {error}"));
            self.events.push_back(message);
        }
    }

    /// What went wrong in the page since it was opened, as the browser's console tells it.
    pub fn complaints(&mut self) -> Vec<String> {
        // A round trip, so that everything said before is here.
        self.eval("0");
        let told = self.events.iter().filter_map(|event| match event["method"].as_str() {
            Some("Runtime.exceptionThrown") => Some(event["params"]["exceptionDetails"].to_string()),
            Some("Log.entryAdded") => Some(event["params"]["entry"].to_string()),
            _ => None,
        });
        told.collect()
    }

    /// A picture of the whole page, as PNG.
    ///
    /// # Panics
    /// When it is none.
    #[track_caller]
    pub fn screenshot(&mut self) -> Vec<u8> {
        let size = self.call("Page.getLayoutMetrics", json!({}))["cssContentSize"].clone();
        let clip = json!({ "x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1 });
        let params = json!({ "format": "png", "captureBeyondViewport": true, "clip": clip });
        let shot = self.call("Page.captureScreenshot", params);
        base64::Engine::decode(&base64::engine::general_purpose::STANDARD, shot["data"].as_str().expect("a picture"))
            .expect("base64")
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // All of the group: Chromium is many processes.
        let _ = Command::new("kill").args(["-KILL", "--", &format!("-{}", self.child.id())]).status();
        let _ = self.child.wait();
    }
}
