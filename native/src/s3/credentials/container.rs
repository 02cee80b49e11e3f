//! Credentials of a container's role (ECS, EKS Pod Identity), from an address that the environment names.

use std::net::IpAddr;

use super::super::environment::Environment;
use super::super::files;
use super::super::wire::{Metadata, authority_host};
use super::Credentials;
use super::parse::parse;
use crate::shown::quoted;

/// Where relative addresses lead.
const ECS: &str = "http://169.254.170.2";

/// Hosts beside loopback that may be asked without TLS: ECS, and EKS by its two addresses.
const PLAIN: [&str; 3] = ["169.254.170.2", "169.254.170.23", "fd00:ec2::23"];

/// The address and its token.
#[derive(Clone)]
pub struct Container {
    uri: String,
    environment: Environment,
}

impl Container {
    /// From `AWS_CONTAINER_CREDENTIALS_RELATIVE_URI` or `AWS_CONTAINER_CREDENTIALS_FULL_URI`, if one is set.
    pub(super) fn from(environment: &Environment) -> Option<Self> {
        let uri = match environment.get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") {
            Some(path) => format!("{ECS}{path}"),
            None => environment.get("AWS_CONTAINER_CREDENTIALS_FULL_URI")?,
        };
        Some(Self { uri, environment: environment.clone() })
    }

    pub(super) fn fetch(&self, metadata: &Metadata) -> Result<Credentials, String> {
        let say = |what: String| format!("the container's credentials at {} {what}", self.uri);
        if !may_be_asked(&self.uri) {
            return Err(say(
                "are behind an address that is neither https, loopback nor the container's host".to_owned()
            ));
        }
        let token = self.token()?;
        let headers: &[(&str, &str)] = &[("authorization", token.as_deref().unwrap_or_default())];
        let headers = if token.is_some() { headers } else { &[] };
        match metadata.patiently("GET", &self.uri, headers) {
            Ok((200, body)) => parse(&body).map_err(|what| say(format!("are of no use: {what}"))),
            Ok((status, _)) => Err(say(format!("were not given: it answered {status}"))),
            Err(error) => Err(say(format!("were not given: {error}"))),
        }
    }

    /// Read anew each time: whoever wrote the file writes it again.
    fn token(&self) -> Result<Option<String>, String> {
        let Some(path) = self.environment.get("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE") else {
            return Ok(self.environment.get("AWS_CONTAINER_AUTHORIZATION_TOKEN"));
        };
        let say = |what: String| format!("the token of the container {} {what}", quoted(path.as_ref()));
        let text = files::text(path.as_ref()).map_err(|error| say(format!("cannot be read: {error}")))?;
        let text = text.ok_or_else(|| say("is not there".to_owned()))?;
        Ok(Some(text.trim_end_matches(['\r', '\n']).to_owned()))
    }
}

fn may_be_asked(uri: &str) -> bool {
    if uri.starts_with("https://") {
        return true;
    }
    let Some(host) = uri.strip_prefix("http://").map(authority_host) else { return false };
    PLAIN.contains(&host) || host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_goes_to_no_foreign_host_in_the_clear() {
        for good in ["https://x.example/", "http://127.0.0.9:80/a", "http://[::1]:1/", "http://169.254.170.23/v1/c"] {
            assert!(may_be_asked(good), "{good}");
        }
        for bad in ["http://x.example/", "http://127.0.0.1.evil/", "http://127.0.0.1@evil/", "ftp://127.0.0.1/", ""] {
            assert!(!may_be_asked(bad), "{bad}");
        }
    }
}
