//! `Client`: requests to S3, each sent until it has an answer that counts.

use std::collections::HashMap;
use std::io::{self, Read};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use ureq::Body;
use ureq::http::HeaderMap;

use super::answer::{Refusal, Then};
use super::ask::Place;
use super::credentials::{Credentials, Keeper};
use super::encode;
use super::endpoint::{Endpoint, FIRST_REGION};
use super::error::Error;
use super::head::{header, time};
use super::limit::{Limit, Permit};
use super::payload::{Payload, Sending};
use super::retry::Backoff;
use super::settings::Settings;
use super::sign::{self, NO_BODY, Signed, Signer};
use super::wire::{Failed, Wire, no_body};
use crate::bandwidth::Bandwidth;

/// No error's body is read further.
const REFUSAL: u64 = 64 << 10;

/// So long may a connection take, and give no byte, that is there for what is tidied up when all is to end.
const PARTING: Duration = Duration::from_secs(5);

/// A client of S3; shared by reference among threads.
pub struct Client {
    pub(super) settings: Settings,
    endpoint: Endpoint,
    keeper: Keeper,
    signer: Signer,
    wire: Wire,
    limit: Arc<Limit>,
    backoff: Backoff,
    pub(super) bandwidth: Option<Bandwidth>,
    /// The regions of buckets, as far as they differ from the one that was set.
    regions: RwLock<HashMap<String, String>>,
    /// Seconds by which the server's clock is ahead of ours.
    skew: AtomicI64,
}

/// A request before it is signed.
#[derive(Default)]
pub(super) struct Call<'a> {
    pub(super) method: &'static str,
    pub(super) bucket: &'a str,
    /// Empty: the bucket.
    pub(super) key: &'a [u8],
    /// Not encoded, in any order.
    pub(super) query: Vec<(&'static str, Vec<u8>)>,
    /// Names in lower case, in any order.
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Option<Payload<'a>>,
    /// What must hold whenever it is sent.
    pub(super) guard: Option<Guard<'a>>,
}

/// What must hold for something to be written; an error says why it does not.
pub type Guard<'a> = &'a (dyn Fn() -> io::Result<()> + Sync);

/// A success whose body is still to be read. It counts as in flight until it is dropped.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Body,
    pub(super) permit: Permit,
}

/// The attempts at one thing.
pub(super) struct Trials {
    pub(super) at: Box<Place>,
    /// Without getting anywhere.
    made: u32,
    most: u32,
    /// Which cures have been tried: each helps once or not at all.
    renewed: bool,
    clock_set: bool,
}

/// An attempt that gave nothing.
struct Unlucky {
    error: Error,
    then: Then,
    used: Option<Arc<Credentials>>,
}

impl Trials {
    /// How often it was tried since it last got somewhere.
    pub(super) fn made(&self) -> u32 {
        self.made
    }

    /// The next failure is the first one again.
    pub(super) fn got_somewhere(&mut self) {
        self.made = 0;
    }
}

impl Client {
    /// A client that asks as the settings say. Nothing is sent yet.
    ///
    /// # Errors
    /// When the settings make no sense, or the certificates they name cannot be read.
    pub fn new(settings: Settings) -> Result<Self, Error> {
        let endpoint = Endpoint::new(settings.endpoint.as_deref(), settings.style)?;
        Ok(Self {
            keeper: Keeper::new(settings.sources.clone()),
            signer: Signer::new("s3"),
            wire: Wire::new(&settings, &endpoint)?,
            limit: Arc::new(Limit::new(settings.in_flight)),
            backoff: Backoff::new(settings.seed),
            bandwidth: settings.bandwidth.map(Bandwidth::new),
            regions: RwLock::default(),
            skew: AtomicI64::new(0),
            endpoint,
            settings,
        })
    }

    /// Ends all calls, now and from now on, with [`Error::Interrupted`]: also those that wait for a byte, which setting
    /// [`Settings::stop`] alone does not wake before they stall.
    pub fn interrupt(&self) {
        self.settings.stop.store(true, Ordering::Relaxed);
        self.wire.end();
    }

    /// How many requests may be in flight at the moment.
    #[must_use]
    pub fn in_flight(&self) -> f64 {
        self.limit.now()
    }

    /// The region that a bucket is asked in.
    #[must_use]
    pub fn region(&self, bucket: &str) -> String {
        let regions = self.regions.read().unwrap_or_else(PoisonError::into_inner);
        match regions.get(bucket) {
            Some(region) => region.clone(),
            None => self.settings.region.clone().unwrap_or_else(|| FIRST_REGION.to_owned()),
        }
    }

    /// So many bytes of bodies went over: waits as long as the bandwidth wants.
    pub(super) fn pace(&self, bytes: usize) {
        if let Some(bandwidth) = &self.bandwidth {
            let wait = bandwidth.take(bytes, self.settings.clock.steady());
            if !wait.is_zero() {
                self.settings.clock.sleep(wait, &self.settings.stop);
            }
        }
    }

    pub(super) fn trials(&self, at: Box<Place>) -> Trials {
        Trials { at, made: 0, most: self.settings.attempts.max(1), renewed: false, clock_set: false }
    }

    /// # Errors
    /// [`Error::Interrupted`] when the user wants to stop.
    pub(super) fn go_on(&self) -> Result<(), Error> {
        if self.settings.stop.load(Ordering::Relaxed) { Err(Error::Interrupted) } else { Ok(()) }
    }

    /// Sends a request until it succeeds, or fails for good.
    pub(super) fn exchange(&self, call: &Call<'_>, trials: &mut Trials) -> Result<Answer, Error> {
        loop {
            self.go_on()?;
            if let Some(guard) = call.guard {
                guard().map_err(|source| Error::Sink { at: trials.at.clone(), source })?;
            }
            let region = self.region(call.bucket);
            let unlucky = match self.attempt(call, &region, trials)? {
                Ok(answer) => return Ok(answer),
                Err(unlucky) => unlucky,
            };
            self.go_on()?;
            match unlucky.then {
                Then::Later(after) | Then::Slower(after) => self.wait(after, trials, unlucky.error)?,
                _ if trials.made >= trials.most => return Err(unlucky.error),
                Then::Region(other) => {
                    let mut regions = self.regions.write().unwrap_or_else(PoisonError::into_inner);
                    regions.insert(call.bucket.to_owned(), other);
                }
                Then::Renew if !trials.renewed => {
                    trials.renewed = true;
                    unlucky.used.iter().for_each(|used| self.keeper.expired(used));
                }
                Then::Clock(theirs) if !trials.clock_set => {
                    trials.clock_set = true;
                    self.skew.store(theirs.saturating_sub(self.settings.clock.unix()), Ordering::Relaxed);
                }
                Then::Renew | Then::Clock(_) | Then::Stop => return Err(unlucky.error),
            }
        }
    }

    /// Has a request done that tidies up, without a body: also when all is to end, then once, and without patience.
    /// What comes of it is not told, as nobody can do more.
    pub(super) fn tidy(&self, call: &Call<'_>, at: Box<Place>) {
        if let Err(Error::Interrupted) = self.exchange(call, &mut self.trials(at)) {
            let settings = Settings { connect: PARTING, stall: PARTING, ..self.settings.clone() };
            let now = self.now();
            let (wire, who) = (Wire::new(&settings, &self.endpoint), self.keeper.at(now));
            if let (Ok(wire), Ok(who)) = (wire, who) {
                let _ = self.send(&wire, call, &self.region(call.bucket), now, who.as_deref());
            }
        }
    }

    /// The server's time.
    fn now(&self) -> i64 {
        self.settings.clock.unix().saturating_add(self.skew.load(Ordering::Relaxed))
    }

    /// Waits for the attempt after a failure of the wire.
    pub(super) fn again(&self, failed: Failed, trials: &mut Trials) -> Result<(), Error> {
        self.go_on()?;
        let error = Error::Wire { at: trials.at.clone(), attempts: trials.made, why: failed.why };
        if failed.is_final { Err(error) } else { self.wait(0, trials, error) }
    }

    /// Waits, unless that was the last attempt.
    fn wait(&self, after: u64, trials: &Trials, error: Error) -> Result<(), Error> {
        if trials.made >= trials.most {
            return Err(error);
        }
        let wait = self.backoff.wait(trials.made).max(Duration::from_secs(after));
        self.settings.clock.sleep(wait, &self.settings.stop);
        self.go_on()
    }

    fn attempt(&self, call: &Call<'_>, region: &str, trials: &mut Trials) -> Result<Result<Answer, Unlucky>, Error> {
        let now = self.now();
        let who = self.keeper.at(now)?;
        let permit = self.limit.acquire(&self.settings.stop).ok_or(Error::Interrupted)?;
        trials.made += 1;
        let answer = match self.send(&self.wire, call, region, now, who.as_deref())? {
            Ok(answer) => answer,
            Err(Failed { why, is_final }) => {
                let error = Error::Wire { at: trials.at.clone(), attempts: trials.made, why };
                let then = if is_final { Then::Stop } else { Then::Later(0) };
                return Ok(Err(Unlucky { error, then, used: who }));
            }
        };
        let status = answer.status().as_u16();
        let (head, mut body) = answer.into_parts();
        if matches!(status, 200 | 204 | 206) {
            return Ok(Ok(Answer { status, headers: head.headers, body, permit }));
        }
        let get = |name| header(&head.headers, name);
        let mut refusal = Refusal {
            status,
            region: get("x-amz-bucket-region").map(ToOwned::to_owned),
            marker: get("x-amz-delete-marker") == Some("true"),
            after: get("retry-after").and_then(|text| text.parse().ok()),
            clock: get("date").and_then(time),
            ..Refusal::default()
        };
        let mut text = Vec::new();
        // The status says what counts; a body that breaks off only takes its words along.
        if body.as_reader().take(REFUSAL).read_to_end(&mut text).is_ok() {
            refusal.read(&text);
        }
        let then = refusal.then(region);
        match &then {
            Then::Slower(_) => permit.throttled(),
            Then::Later(_) => {}
            // Whatever else it says, it is no sign of too much.
            _ => permit.went_well(),
        }
        let error = refusal.error(trials.at.clone(), who.is_none(), trials.made);
        Ok(Err(Unlucky { error, then, used: who }))
    }

    /// Signs and sends. The outer error is one of what was asked, before anything is sent.
    fn send(
        &self,
        wire: &Wire,
        call: &Call<'_>,
        region: &str,
        now: i64,
        who: Option<&Credentials>,
    ) -> Result<Result<ureq::http::Response<Body>, Failed>, Error> {
        let target = self.endpoint.target(call.bucket, call.key, region)?;
        let query = encoded(&call.query);
        let mut url = format!("{}://{}{}", target.scheme, target.host, target.path);
        if !query.is_empty() {
            url.push('?');
            url.push_str(&query);
        }
        let length = call.body.as_ref().map(Payload::length).or_else(|| no_body(call.method));
        let length = length.map(|length| length.to_string());
        let sum = call.body.as_ref().map_or(NO_BODY, |body| &body.sha256);
        let mut headers: Vec<(&str, &str)> = call.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        if self.settings.requester_pays {
            headers.push(("x-amz-request-payer", "requester"));
        }
        headers.extend(length.as_deref().map(|length| ("content-length", length)));
        let mut body = call.body.as_ref().map(|body| Sending::new(body, self));
        let mut send = |headers: &[(&str, &str)]| {
            wire.send(call.method, &url, headers, body.as_mut().map(|body| -> &mut dyn Read { body }))
        };
        let Some(who) = who else { return Ok(send(&headers)) };
        let date = sign::date(now);
        headers.extend([("host", target.host.as_str()), ("x-amz-content-sha256", sum), ("x-amz-date", &date)]);
        headers.extend(who.token().map(|token| ("x-amz-security-token", token)));
        headers.sort_unstable();
        let signed = Signed { method: call.method, path: &target.path, query: &query, headers: &headers, body: sum };
        let authorization = self.signer.authorization(who, &date, region, &signed);
        headers.push(("authorization", &authorization));
        Ok(send(&headers))
    }
}

/// The query as it is signed and sent: sorted by the encoded names, each with a `=`.
fn encoded(query: &[(&'static str, Vec<u8>)]) -> String {
    let encode = |bytes: &[u8]| {
        let mut text = String::new();
        encode::query(bytes, &mut text);
        text
    };
    let mut pairs: Vec<String> =
        query.iter().map(|(name, value)| format!("{}={}", encode(name.as_bytes()), encode(value))).collect();
    pairs.sort_unstable();
    pairs.join("&")
}
