//! `Endpoint`: which host and which path an object or a bucket has.

use std::net::IpAddr;

use super::encode;
use super::error::Error;
use super::settings::Style;
use super::wire::authority_host;

/// The region that is asked when nobody says which.
pub const FIRST_REGION: &str = "us-east-1";

/// Where S3 is.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// Scheme, host and port, and a path before the bucket, if somebody gave one.
    given: Option<Given>,
    style: Option<Style>,
}

#[derive(Debug, Clone)]
struct Given {
    scheme: &'static str,
    authority: String,
    path: String,
}

/// A place on the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// `https` or `http`.
    pub scheme: &'static str,
    /// Host and port, as the header `host` has it.
    pub host: String,
    /// The path, encoded.
    pub path: String,
}

impl Endpoint {
    /// At an address of one's own, or at AWS.
    ///
    /// # Errors
    /// When the address is no `http://` or `https://` one, or holds a user, a query or a fragment.
    pub fn new(given: Option<&str>, style: Option<Style>) -> Result<Self, Error> {
        Ok(Self { given: given.map(parse).transpose()?, style })
    }

    /// Whether it is on this machine.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        self.given.as_ref().is_some_and(|given| {
            let host = authority_host(&given.authority);
            host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
        })
    }

    /// Where an object is, or a bucket for an empty key.
    ///
    /// # Errors
    /// When no bucket can have such a name, or no region.
    pub fn target(&self, bucket: &str, key: &[u8], region: &str) -> Result<Target, Error> {
        // A host's name is made of both.
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
        let shown = |text: &str| highwater_core::name::printable(text.as_bytes());
        if !(3..=255).contains(&bucket.len()) || !bucket.bytes().all(is_plain) || bucket.starts_with('.') {
            return Err(Error::Settings(format!("'{}' is no name of a bucket", shown(bucket))));
        }
        if region.is_empty() || region.len() > 64 || !region.bytes().all(|byte| byte != b'.' && is_plain(byte)) {
            return Err(Error::Settings(format!("'{}' is no name of a region", shown(region))));
        }
        let (scheme, host, base) = match &self.given {
            Some(given) => (given.scheme, given.authority.clone(), given.path.as_str()),
            None => ("https", aws(region), ""),
        };
        let in_host = self.is_in_host(bucket);
        let mut path = String::with_capacity(base.len() + bucket.len() + key.len() + 16);
        path.push_str(base);
        path.push('/');
        if !in_host {
            path.push_str(bucket);
            if !key.is_empty() {
                path.push('/');
            }
        }
        encode::path(key, &mut path);
        Ok(Target { scheme, host: if in_host { format!("{bucket}.{host}") } else { host }, path })
    }

    /// Whether the bucket goes into the host's name. No certificate holds for a name with more dots, and hosts' names
    /// know no upper case and no `_`.
    fn is_in_host(&self, bucket: &str) -> bool {
        let fits = bucket.len() <= 63
            && bucket.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        let is_address =
            self.given.as_ref().is_some_and(|given| authority_host(&given.authority).parse::<IpAddr>().is_ok());
        match self.style {
            Some(Style::Path) => false,
            Some(Style::Host) => fits && !is_address,
            None => fits && self.given.is_none(),
        }
    }
}

fn aws(region: &str) -> String {
    format!("s3.{region}.amazonaws.com{}", if region.starts_with("cn-") { ".cn" } else { "" })
}

fn parse(text: &str) -> Result<Given, Error> {
    let no = |why: &str| {
        Error::Settings(format!("the endpoint '{}' {why}", highwater_core::name::printable(text.as_bytes())))
    };
    let (scheme, rest, port) = match (text.strip_prefix("https://"), text.strip_prefix("http://")) {
        (Some(rest), _) => ("https", rest, ":443"),
        (None, Some(rest)) => ("http", rest, ":80"),
        _ => return Err(no("does not begin with https:// or http://")),
    };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    // A password there would be told by each error, and a query would not be signed.
    if text.contains('@') {
        return Err(Error::Settings("the endpoint holds a user or a password, which S3 has no use for".to_owned()));
    }
    if authority.is_empty() || text.contains(['?', '#', '%', ' ']) || !text.bytes().all(|byte| byte.is_ascii_graphic())
    {
        return Err(no("is no plain address such as https://s3.example.org"));
    }
    // A host is not told a port that is its scheme's.
    let authority = authority.strip_suffix(port).unwrap_or(authority).to_ascii_lowercase();
    Ok(Given { scheme, authority, path: path.trim_end_matches('/').to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(given: Option<&str>, style: Option<Style>, bucket: &str, key: &str) -> String {
        let Target { scheme, host, path } = Endpoint::new(given, style)
            .and_then(|point| point.target(bucket, key.as_bytes(), "eu-west-1"))
            .expect(bucket);
        format!("{scheme}://{host}{path}")
    }

    #[test]
    fn hosts_and_paths() {
        let own = Some("http://127.0.0.1:80/base/");
        for (given, style, bucket, key, expected) in [
            (None, None, "abc", "k", "https://abc.s3.eu-west-1.amazonaws.com/k"),
            (None, None, "abc", "/k", "https://abc.s3.eu-west-1.amazonaws.com//k"),
            (None, None, "abc", "", "https://abc.s3.eu-west-1.amazonaws.com/"),
            (None, None, "a.bc", "k", "https://s3.eu-west-1.amazonaws.com/a.bc/k"),
            (None, Some(Style::Path), "abc", "k", "https://s3.eu-west-1.amazonaws.com/abc/k"),
            (own, None, "abc", "a//b/../c/", "http://127.0.0.1/base/abc/a//b/../c/"),
            (own, Some(Style::Host), "abc", "k", "http://127.0.0.1/base/abc/k"),
            (Some("https://H.example:443"), Some(Style::Host), "abc", "é+ %", "https://abc.h.example/%C3%A9%2B%20%25"),
            (Some("https://h.example:8443"), None, "A_b", "", "https://h.example:8443/A_b"),
        ] {
            assert_eq!(target(given, style, bucket, key), expected);
        }
        for bad in ["", "h", "ftp://h", "http://", "http://u:p@h", "http://h?x", "http://h/%2f", "http://h\n/"] {
            let error = Endpoint::new(Some(bad), None).expect_err(bad).to_string();
            assert!(!error.contains("u:p"), "{error}");
        }
        let aws = Endpoint::new(None, None).expect("AWS");
        for (bucket, region) in
            [("a", "r"), ("a/b", "r"), ("a?b", "r"), ("a@b", "r"), (".ab", "r"), ("abc", "x/y"), ("abc", "")]
        {
            aws.target(bucket, b"k", region).expect_err(bucket);
        }
    }
}
