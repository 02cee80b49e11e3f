//! `Settings`: how a client asks, from the environment or given.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use highwater_core::name::printable;

use super::credentials::Source;
use super::environment::Environment;
use super::error::Error;
use super::profile::Profile;
use super::time::{Clock, System};

/// Where the bucket's name goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Into the path, for any bucket.
    Path,
    /// Into the host's name, where it fits there.
    Host,
}

/// How a client asks.
#[derive(Clone)]
pub struct Settings {
    /// An address of one's own; `None`: AWS.
    pub endpoint: Option<String>,
    /// The region to ask first; a bucket's own is learnt.
    pub region: Option<String>,
    /// `None`: as it fits the endpoint and the bucket.
    pub style: Option<Style>,
    /// Whom to ask as: the first that gives credentials. Empty: nobody, without a signature.
    pub sources: Vec<Source>,
    /// Whether who asks pays for it, in buckets that want that.
    pub requester_pays: bool,
    /// Certificates in PEM that are trusted in place of the public ones.
    pub certificates: Option<PathBuf>,
    /// How often a request is sent, at most, without getting anywhere.
    pub attempts: u32,
    /// A connection that gives or takes no byte for so long has stalled.
    pub stall: Duration,
    /// How long a connection may take to come about.
    pub connect: Duration,
    /// Requests in flight at once, at most.
    pub in_flight: u32,
    /// Bytes of bodies a second, at most.
    pub bandwidth: Option<u64>,
    /// What the random waits are drawn from.
    pub seed: u64,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Set when the user wants to stop: waits end, and calls return [`Error::Interrupted`].
    pub stop: Arc<AtomicBool>,
}

impl Settings {
    /// What the environment and the profile say; [`super`] has the list.
    ///
    /// # Errors
    /// When a file cannot be read, or what it says makes no sense.
    pub fn from_environment(environment: &Environment) -> Result<Self, Error> {
        let profile = Profile::load(environment)?;
        let mut settings = Self {
            sources: Source::chain(environment, &profile)?,
            certificates: environment.get("AWS_CA_BUNDLE").or_else(|| text(&profile, "ca_bundle")).map(Into::into),
            ..Self::anonymous()
        };
        settings.endpoint = environment.get("AWS_ENDPOINT_URL_S3").or_else(|| environment.get("AWS_ENDPOINT_URL"));
        if settings.endpoint.is_none() {
            let names = ["services.s3.endpoint_url", "s3.endpoint_url", "endpoint_url"];
            settings.endpoint = names.iter().find_map(|name| text(&profile, name));
        }
        if environment.is_true("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS") {
            settings.endpoint = None;
        }
        let region = || environment.get("AWS_REGION").or_else(|| environment.get("AWS_DEFAULT_REGION"));
        settings.region = region().or_else(|| text(&profile, "region"));
        settings.style = match profile.get("s3.addressing_style") {
            None | Some("auto") => None,
            Some("path") => Some(Style::Path),
            Some("virtual") => Some(Style::Host),
            Some(other) => {
                return Err(Error::Settings(format!(
                    "the profile's addressing_style is '{}', which is none of path, virtual, auto",
                    printable(other.as_bytes())
                )));
            }
        };
        Ok(settings)
    }

    /// At AWS, as nobody, with the usual patience.
    #[must_use]
    pub fn anonymous() -> Self {
        Self {
            endpoint: None,
            region: None,
            style: None,
            sources: Vec::new(),
            requester_pays: false,
            certificates: None,
            attempts: 10,
            stall: Duration::from_secs(30),
            connect: Duration::from_secs(10),
            in_flight: 64,
            bandwidth: None,
            seed: seed(),
            clock: Arc::new(System::new()),
            stop: Arc::default(),
        }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { endpoint, region, style, sources, .. } = self;
        let mut shown = f.debug_struct("Settings");
        shown.field("endpoint", endpoint).field("region", region).field("style", style).field("sources", sources);
        shown.finish_non_exhaustive()
    }
}

fn text(profile: &Profile, name: &str) -> Option<String> {
    profile.get(name).map(ToOwned::to_owned)
}

/// Another one for each client: two that were throttled together are not to come back together.
fn seed() -> u64 {
    crate::random::bytes().map_or_else(|_| u64::from(std::process::id()), u64::from_le_bytes)
}
