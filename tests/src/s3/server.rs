//! `Server`: our own S3 on loopback, with a thread per connection.

use std::collections::HashMap;
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, RwLock};
use std::thread::{self, JoinHandle};
use std::time::{SystemTime, UNIX_EPOCH};

use highwater::s3::credentials::{Credentials, Source};
use highwater::s3::{Client, Settings};

use super::answer::{Answer, Parts, http_date, read};
use super::fault::{Fault, Rule};
use super::request::{Incoming, Request};
use super::send::send;
use super::shelves::Shelves;
use super::signature::{self, Covered, seconds};
use super::write::write;
use super::{Admin, KEY, REGION, SECRET};

/// A running server; it ends with this value.
#[derive(Debug)]
pub struct Server {
    shared: Arc<Shared>,
    address: SocketAddr,
    door: Option<JoinHandle<()>>,
}

/// A request as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The method.
    pub method: String,
    /// Path and query, as sent.
    pub target: String,
    /// `Range`.
    pub range: Option<String>,
    /// `If-Match`.
    pub if_match: Option<String>,
    /// The key that signed it.
    pub signer: Option<String>,
    /// Which connection it came over, counted from 1.
    pub connection: u64,
    /// The status of the answer; 0 if there was none.
    pub status: u16,
}

/// A key that it knows.
#[derive(Debug, Default)]
struct Known {
    /// `None`: it has expired.
    secret: Option<String>,
    token: Option<String>,
}

#[derive(Debug)]
struct Shared {
    shelves: RwLock<Shelves>,
    script: Mutex<Vec<Rule>>,
    log: Mutex<Vec<Asked>>,
    keys: RwLock<HashMap<String, Known>>,
    /// Whether a script was ever given: without one, no lock is taken.
    scripted: AtomicBool,
    quiet: AtomicBool,
    /// Seconds by which its clock is ahead.
    ahead: AtomicI64,
    flying: AtomicU64,
    most_flying: AtomicU64,
    requests: AtomicU64,
    ending: AtomicBool,
}

impl Server {
    /// Start one that knows the key that all servers know.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port of loopback");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(Shared {
            shelves: RwLock::default(),
            script: Mutex::default(),
            log: Mutex::default(),
            keys: RwLock::new(HashMap::from([(
                KEY.to_owned(),
                Known { secret: Some(SECRET.to_owned()), token: None },
            )])),
            scripted: AtomicBool::new(false),
            quiet: AtomicBool::new(false),
            ahead: AtomicI64::new(0),
            flying: AtomicU64::new(0),
            most_flying: AtomicU64::new(0),
            requests: AtomicU64::new(0),
            ending: AtomicBool::new(false),
        });
        let inside = Arc::clone(&shared);
        let door = thread::spawn(move || inside.listen(&listener));
        Self { shared, address, door: Some(door) }
    }

    /// `http://127.0.0.1:PORT`.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Settings to ask it by.
    pub fn settings(&self) -> Settings {
        Settings {
            endpoint: Some(self.endpoint()),
            region: Some(REGION.to_owned()),
            sources: vec![Source::Fixed(Credentials::new(KEY, SECRET, None, None))],
            ..Settings::anonymous()
        }
    }

    /// A client with those settings, whose waits are no waits.
    pub fn client(&self) -> Client {
        self.client_with(|_| {})
    }

    /// A client with those settings, changed.
    #[track_caller]
    pub fn client_with(&self, change: impl FnOnce(&mut Settings)) -> Client {
        let mut settings = self.settings();
        settings.clock = Arc::new(super::observe::Watched::default());
        change(&mut settings);
        Client::new(settings).expect("a client")
    }

    /// What fills it over the wire.
    pub fn admin(&self) -> Admin {
        Admin::new(self.address)
    }

    /// The buckets, to look at or to change.
    pub fn shelves<T>(&self, deed: impl FnOnce(&mut Shelves) -> T) -> T {
        deed(&mut self.shared.shelves.write().expect("no panic"))
    }

    /// This goes wrong, after what is to go wrong already.
    pub fn plan(&self, rule: Rule) {
        self.shared.scripted.store(true, Ordering::Relaxed);
        self.script().push(rule);
    }

    /// What was planned and has not happened is not to happen.
    pub fn forget(&self) {
        self.script().clear();
    }

    /// What of the script has not happened.
    pub fn left(&self) -> usize {
        self.script().len()
    }

    fn script(&self) -> MutexGuard<'_, Vec<Rule>> {
        self.shared.script.lock().expect("no panic")
    }

    /// A key with its secret and token that it takes from now on.
    pub fn know(&self, key: &str, secret: &str, token: Option<&str>) {
        let known = Known { secret: Some(secret.to_owned()), token: token.map(ToOwned::to_owned) };
        self.shared.keys.write().expect("no panic").insert(key.to_owned(), known);
    }

    /// A key that has expired.
    pub fn expire(&self, key: &str) {
        self.shared.keys.write().expect("no panic").insert(key.to_owned(), Known::default());
    }

    /// Its clock is so many seconds ahead.
    pub fn set_ahead(&self, seconds: i64) {
        self.shared.ahead.store(seconds, Ordering::Relaxed);
    }

    /// What it was asked since the last time that somebody looked.
    pub fn log(&self) -> Vec<Asked> {
        std::mem::take(&mut *self.shared.log.lock().expect("no panic"))
    }

    /// Keep no log from now on: for load.
    pub fn be_quiet(&self) {
        self.shared.quiet.store(true, Ordering::Relaxed);
    }

    /// How many requests there were.
    pub fn requests(&self) -> u64 {
        self.shared.requests.load(Ordering::Relaxed)
    }

    /// The most that were being answered at once.
    pub fn most_flying(&self) -> u64 {
        self.shared.most_flying.load(Ordering::Relaxed)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.ending.store(true, Ordering::Relaxed);
        // Wakes it; the connections end with their clients.
        let _ = TcpStream::connect(self.address);
        if let Some(door) = self.door.take() {
            let _ = door.join();
        }
    }
}

impl Shared {
    fn listen(self: &Arc<Self>, listener: &TcpListener) {
        for (stream, connection) in listener.incoming().map_while(Result::ok).zip(1..) {
            if self.ending.load(Ordering::Relaxed) {
                return;
            }
            let shared = Arc::clone(self);
            // A connection that the client breaks is no failure.
            thread::spawn(move || drop(shared.serve(stream, connection)));
        }
    }

    fn serve(&self, mut stream: TcpStream, connection: u64) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let mut incoming = Incoming::default();
        while let Some(request) = incoming.next(&mut stream)? {
            let flying = self.flying.fetch_add(1, Ordering::Relaxed) + 1;
            self.most_flying.fetch_max(flying, Ordering::Relaxed);
            self.requests.fetch_add(1, Ordering::Relaxed);
            let go_on = self.reply(&mut stream, &request, connection);
            self.flying.fetch_sub(1, Ordering::Relaxed);
            if !go_on? || request.header("connection") == Some("close") {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Answers one request; `false` ends the connection.
    fn reply(&self, stream: &mut TcpStream, request: &Request, connection: u64) -> io::Result<bool> {
        let parts = Parts::of(request);
        let (fault, deed) = self.fault(request);
        if fault == Fault::Before {
            deed.into_iter().for_each(|deed| deed(&mut self.shelves.write().expect("no panic")));
            return Ok(false);
        }
        let passed_over: &[&str] = match fault {
            Fault::NoRange => &["range"],
            Fault::NoConditions => &["if-match", "if-none-match"],
            Fault::Garbles(_) => &["content-md5", "x-amz-content-sha256"],
            _ => &[],
        };
        let mut request = request;
        let without;
        if !passed_over.is_empty() {
            let headers = request.headers.iter().filter(|(name, _)| !passed_over.contains(&&**name)).cloned().collect();
            let (method, target, mut body) = (request.method.clone(), request.target.clone(), request.body.clone());
            if let Fault::Garbles(at) = fault
                && let Some(byte) = body.get_mut(at)
            {
                *byte ^= 1;
            }
            without = Request { method, target, headers, body };
            request = &without;
        }
        // As S3, which takes no body whose length is not told first.
        let in_chunks = request.header("transfer-encoding").is_some();
        let mut reply = match &fault {
            _ if in_chunks => Answer::error(501, "NotImplemented"),
            Fault::Status(status, code, headers) => {
                headers.iter().fold(Answer::error(*status, code), |answer, (name, value)| answer.with(name, *value))
            }
            _ => self.judged(request, &parts, !passed_over.is_empty()),
        };
        match &fault {
            Fault::Headers(changed) => {
                for (name, value) in changed {
                    reply.headers.retain(|(known, _)| known != name);
                    reply.headers.push(((*name).to_owned(), (*value).to_owned()));
                }
            }
            Fault::Flip(at) if *at < reply.body.len() => {
                let mut body = reply.body.to_vec();
                body[*at] ^= 1;
                reply.body = body.into();
            }
            Fault::Lacks(part) => reply = reply.without(part),
            Fault::Repeats => reply = reply.twice(),
            _ => {}
        }
        if !self.quiet.load(Ordering::Relaxed) {
            let own = |name| request.header(name).map(ToOwned::to_owned);
            self.log.lock().expect("no panic").push(Asked {
                method: request.method.clone(),
                target: request.target.clone(),
                range: own("range"),
                if_match: own("if-match"),
                signer: own("authorization")
                    .and_then(|text| Some(text.split_once("Credential=")?.1.split_once('/')?.0.to_owned())),
                connection,
                status: if matches!(fault, Fault::Closed | Fault::Hang | Fault::Raw(_)) { 0 } else { reply.status },
            });
        }
        if let Some(deed) = deed {
            deed(&mut self.shelves.write().expect("no panic"));
        }
        let go_on = send(stream, &request.method, &reply, &fault, &http_date(self.now()))?;
        Ok(go_on && !in_chunks)
    }

    fn now(&self) -> i64 {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
        i64::try_from(now).expect("before the end") + self.ahead.load(Ordering::Relaxed)
    }

    /// The first rule for the request, one time less.
    fn fault(&self, request: &Request) -> (Fault, Option<super::fault::Deed>) {
        if !self.scripted.load(Ordering::Relaxed) {
            return (Fault::None, None);
        }
        let mut script = self.script.lock().expect("no panic");
        let line = format!("{} {}", request.method, request.target);
        let Some(at) = script.iter().position(|rule| line.contains(&rule.to)) else { return (Fault::None, None) };
        let rule = &mut script[at];
        let deed = rule.deed.take();
        let fault = rule.fault.clone();
        rule.times -= 1;
        if rule.times == 0 {
            script.remove(at);
        }
        (fault, deed)
    }

    /// The answer to a request that may be asked, or why it may not.
    fn judged(&self, request: &Request, parts: &Parts, unsigned: bool) -> Answer {
        let (region, public, pays) = {
            let shelves = self.shelves.read().expect("no panic");
            match shelves.buckets.get(&parts.bucket) {
                Some(bucket) => (bucket.region.clone(), bucket.public, bucket.requester_pays),
                None => (REGION.to_owned(), false, false),
            }
        };
        let refused = match request.header("authorization") {
            None if public => None,
            None => Some(Answer::error(403, "AccessDenied")),
            Some(_) if unsigned => None,
            Some(authorization) => self.unsigned(request, authorization, &region),
        };
        if let Some(refused) = refused {
            return refused.with("x-amz-bucket-region", region);
        }
        if pays && request.header("x-amz-request-payer") != Some("requester") {
            return Answer::error(403, "AccessDenied");
        }
        if matches!(request.method.as_str(), "GET" | "HEAD") {
            return read(&self.shelves.read().expect("no panic"), request, parts);
        }
        write(&mut self.shelves.write().expect("no panic"), request, parts, self.now())
    }

    /// What is wrong with the signature, if something is.
    fn unsigned(&self, request: &Request, authorization: &str, region: &str) -> Option<Answer> {
        let bad = || Some(Answer::error(403, "SignatureDoesNotMatch"));
        let field = |name: &str| authorization.split_once(&format!("{name}="))?.1.split(',').next();
        let (Some(credential), Some(names), Some(given)) =
            (field("Credential"), field("SignedHeaders"), field("Signature"))
        else {
            return bad();
        };
        let scope: Vec<&str> = credential.split('/').collect();
        let (&[key, day, signed_region, "s3", "aws4_request"], Some(date)) = (&scope[..], request.header("x-amz-date"))
        else {
            return bad();
        };
        if signed_region != region {
            let text = format!(
                "<Error><Code>AuthorizationHeaderMalformed</Code><Message>the region '{signed_region}' is wrong; \
                 expecting '{region}'</Message><Region>{region}</Region></Error>"
            );
            return Some(Answer::new(400, text.into_bytes()));
        }
        let keys = self.keys.read().expect("no panic");
        let Some(Known { secret, token }) = keys.get(key) else {
            return Some(Answer::error(403, "InvalidAccessKeyId"));
        };
        let Some(secret) = secret else { return Some(Answer::error(400, "ExpiredToken")) };
        if token.as_deref() != request.header("x-amz-security-token") {
            return Some(Answer::error(400, "InvalidToken"));
        }
        let seconds = seconds(date)?;
        if (seconds - self.now()).abs() > 900 || !date.starts_with(day) {
            return Some(Answer::error(403, "RequestTimeTooSkewed"));
        }
        // All that says what is wanted must be signed.
        let must = ["host", "range", "if-match", "if-none-match", "content-md5"];
        let is_signed = |name: &str| names.split(';').any(|signed| signed == name);
        let open = |(name, _): &&(String, String)| {
            (must.contains(&name.as_str()) || name.starts_with("x-amz-")) && !is_signed(name)
        };
        if request.headers.iter().any(|header| open(&header)) {
            return bad();
        }
        let headers: Vec<(&str, &str)> =
            names.split(';').map(|name| Some((name, request.header(name)?))).collect::<Option<_>>().unwrap_or_default();
        let body = request.header("x-amz-content-sha256").unwrap_or_default();
        let covered = Covered { method: &request.method, target: &request.target, headers, body };
        if signature::of(secret, date, region, &covered) == given { None } else { bad() }
    }
}
