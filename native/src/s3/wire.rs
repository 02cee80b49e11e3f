//! One exchange over HTTP: connections, their limits of time, and what their failures mean.

use std::io::{self, Read};
use std::time::Duration;

use ureq::config::{AutoHeaderValue, Config, ConfigBuilder};
use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::typestate::AgentScope;
use ureq::{Agent, AsSendBody, Body, SendBody, http};

use super::endpoint::Endpoint;
use super::error::Error;
use super::files;
use super::settings::Settings;
use crate::shown::quoted;

/// What is read ahead of a connection.
const INPUT: usize = 64 << 10;

/// What is written at once: headers fit.
const OUTPUT: usize = 16 << 10;

/// No answer of a metadata service is longer.
const METADATA: u64 = 64 << 10;

/// An exchange that did not happen, or did not end.
#[derive(Debug)]
pub(super) struct Failed {
    /// What happened, for the end of a sentence.
    pub(super) why: String,
    /// Whether another attempt would end the same way.
    pub(super) is_final: bool,
}

/// The connections to S3, kept for the next request.
#[derive(Debug)]
pub(super) struct Wire {
    agent: Agent,
}

fn usual() -> ConfigBuilder<AgentScope> {
    Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .accept(AutoHeaderValue::None)
        .accept_encoding(AutoHeaderValue::None)
        .user_agent(concat!("highwater/", env!("CARGO_PKG_VERSION")))
        .input_buffer_size(INPUT)
        .output_buffer_size(OUTPUT)
}

impl Wire {
    /// # Errors
    /// When the certificates that were given cannot be read.
    pub(super) fn new(settings: &Settings, endpoint: &Endpoint) -> Result<Self, Error> {
        let connections = usize::try_from(settings.in_flight).unwrap_or(usize::MAX).max(1);
        let mut config = usual()
            .max_idle_connections(connections)
            .max_idle_connections_per_host(connections)
            .timeout_connect(Some(settings.connect))
            .timeout_per_read(Some(settings.stall))
            .timeout_per_write(Some(settings.stall))
            .tls_config(trust(settings)?);
        if endpoint.is_loopback() {
            config = config.proxy(None);
        }
        Ok(Self { agent: config.build().into() })
    }

    /// Sends a request and reads the head of the answer. A body's length is among the headers.
    pub(super) fn send(
        &self,
        method: &'static str,
        url: &str,
        headers: &[(&str, &str)],
        body: Option<&mut dyn Read>,
    ) -> Result<http::Response<Body>, Failed> {
        match body {
            None => send(&self.agent, method, url, headers, ()),
            Some(body) => send(&self.agent, method, url, headers, SendBody::from_reader(body)),
        }
    }

    /// Ends all connections, also those that somebody waits for.
    pub(super) fn end(&self) {
        self.agent.clone().shutdown();
    }
}

fn send(
    agent: &Agent,
    method: &str,
    url: &str,
    headers: &[(&str, &str)],
    body: impl AsSendBody,
) -> Result<http::Response<Body>, Failed> {
    let mut request = http::Request::builder().method(method).uri(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    // What cannot be sent at all may hold a secret: its words are not repeated.
    let request = request.body(body);
    let request =
        request.map_err(|_| Failed { why: "the request cannot be written down".to_owned(), is_final: true })?;
    agent.run(request).map_err(|error| explain(&error))
}

fn trust(settings: &Settings) -> Result<TlsConfig, Error> {
    let Some(path) = &settings.certificates else { return Ok(TlsConfig::default()) };
    let no = |why: String| Error::Settings(format!("the certificates in {} {why}", quoted(path)));
    let bytes = files::read(path).map_err(|error| no(format!("cannot be read: {error}")))?;
    let bytes = bytes.ok_or_else(|| no("are not there".to_owned()))?;
    let mut certificates = Vec::new();
    for item in parse_pem(&bytes) {
        if let PemItem::Certificate(certificate) = item.map_err(|_| no("are no PEM".to_owned()))? {
            certificates.push(certificate);
        }
    }
    if certificates.is_empty() {
        return Err(no("are none".to_owned()));
    }
    Ok(TlsConfig::builder().root_certs(RootCerts::new_with_certs(&certificates)).build())
}

/// The length that a request without a body tells, where its method may have one: without it, it would go in chunks,
/// which S3 does not take.
pub(super) fn no_body(method: &str) -> Option<u64> {
    matches!(method, "POST" | "PUT").then_some(0)
}

/// What a failure means.
pub(super) fn explain(error: &ureq::Error) -> Failed {
    let (why, is_final) = match error {
        ureq::Error::Io(error) => return explain_io(error),
        ureq::Error::Timeout(ureq::Timeout::Connect) => ("the connection did not come about in time".to_owned(), false),
        ureq::Error::Timeout(_) => ("the connection stalled".to_owned(), false),
        ureq::Error::HostNotFound => ("the host's name is not known".to_owned(), false),
        ureq::Error::Protocol(error) => (format!("the answer is no HTTP ({error})"), false),
        ureq::Error::Rustls(error) => (format!("TLS failed ({error})"), true),
        ureq::Error::ConnectProxyFailed(_) => ("the proxy made no connection".to_owned(), false),
        ureq::Error::ConnectionFailed => ("the connection did not come about".to_owned(), false),
        other => (other.to_string(), true),
    };
    Failed { why, is_final }
}

/// What a failure of reading a body means.
pub(super) fn explain_io(error: &io::Error) -> Failed {
    if let Some(inner) = error.get_ref().and_then(|inner| inner.downcast_ref::<ureq::Error>()) {
        return explain(inner);
    }
    match error.kind() {
        // Such as a certificate that is not trusted.
        io::ErrorKind::InvalidData => Failed { why: format!("TLS failed ({error})"), is_final: true },
        io::ErrorKind::UnexpectedEof => {
            Failed { why: "the connection was closed too early".to_owned(), is_final: false }
        }
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => {
            Failed { why: "the connection stalled".to_owned(), is_final: false }
        }
        _ => Failed { why: format!("the connection failed ({error})"), is_final: false },
    }
}

/// Connections to metadata services, which are near: short patience, no proxy.
#[derive(Debug)]
pub(super) struct Metadata {
    agent: Agent,
}

impl Metadata {
    /// How long one may take.
    const PATIENCE: Duration = Duration::from_secs(1);

    /// How often it is asked, where it is known to be there.
    const ATTEMPTS: u32 = 3;

    /// Nothing is asked yet.
    pub(super) fn new() -> Self {
        let config: Config = usual()
            .proxy(None)
            .timeout_connect(Some(Self::PATIENCE))
            .timeout_per_read(Some(Self::PATIENCE * 2))
            .timeout_global(Some(Self::PATIENCE * 5))
            .build();
        Self { agent: config.into() }
    }

    /// Asks once; gives the status and the body.
    pub(super) fn briefly(&self, method: &str, url: &str, headers: &[(&str, &str)]) -> Result<(u16, Vec<u8>), String> {
        let length = no_body(method).map(|length| length.to_string());
        let length = length.as_deref().map(|length| ("content-length", length));
        let headers: Vec<(&str, &str)> = headers.iter().copied().chain(length).collect();
        let mut answer = send(&self.agent, method, url, &headers, ()).map_err(|failed| failed.why)?;
        let mut body = Vec::new();
        let read = answer.body_mut().as_reader().take(METADATA).read_to_end(&mut body);
        read.map_err(|error| explain_io(&error).why)?;
        Ok((answer.status().as_u16(), body))
    }

    /// Asks again if it fails.
    pub(super) fn patiently(
        &self,
        method: &str,
        url: &str,
        headers: &[(&str, &str)],
    ) -> Result<(u16, Vec<u8>), String> {
        let mut last = String::new();
        for _ in 0..Self::ATTEMPTS {
            match self.briefly(method, url, headers) {
                Ok((status, _)) if status == 429 || status >= 500 => last = format!("it answered {status}"),
                Ok(answer) => return Ok(answer),
                Err(error) => last = error,
            }
        }
        Err(last)
    }
}

/// The host of what follows `://`, without port and brackets.
pub(super) fn authority_host(rest: &str) -> &str {
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    match authority.strip_prefix('[').and_then(|inner| inner.split_once(']')) {
        Some((host, _)) => host,
        None => authority.split_once(':').map_or(authority, |(host, _)| host),
    }
}
