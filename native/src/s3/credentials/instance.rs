//! Credentials of an instance's role, from its metadata service (IMDSv2; version 1, which wants no token, is not used).

use super::super::environment::Environment;
use super::super::wire::Metadata;
use super::Credentials;
use super::parse::parse;

const ROLES: &str = "latest/meta-data/iam/security-credentials/";

/// The service's address.
#[derive(Clone)]
pub struct Instance {
    endpoint: String,
}

impl Instance {
    /// From the environment; `None` if `AWS_EC2_METADATA_DISABLED` says so.
    pub(super) fn from(environment: &Environment) -> Option<Self> {
        if environment.is_true("AWS_EC2_METADATA_DISABLED") {
            return None;
        }
        let mode = environment.get("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE").unwrap_or_default();
        let usual = if mode.eq_ignore_ascii_case("ipv6") { "http://[fd00:ec2::254]" } else { "http://169.254.169.254" };
        let endpoint = environment.get("AWS_EC2_METADATA_SERVICE_ENDPOINT").unwrap_or_else(|| usual.to_owned());
        Some(Self { endpoint: endpoint.trim_end_matches('/').to_owned() })
    }

    /// `None` if nothing answers there, or the instance has no role.
    pub(super) fn fetch(&self, metadata: &Metadata) -> Result<Option<Credentials>, String> {
        let say = |what: String| format!("the instance's credentials at {} {what}", self.endpoint);
        let refused = |status: u16| say(format!("were not given: it answered {status}"));
        let ttl = [("x-aws-ec2-metadata-token-ttl-seconds", "21600")];
        let token = match metadata.briefly("PUT", &format!("{}/latest/api/token", self.endpoint), &ttl) {
            Ok((200, token)) => {
                String::from_utf8(token).map_err(|_| say("come with a token that is no text".to_owned()))?
            }
            Ok((status, _)) => return Err(refused(status)),
            // Most machines are no instances.
            Err(_) => return Ok(None),
        };
        let headers = [("x-aws-ec2-metadata-token", token.trim())];
        let get = |path: &str| {
            let url = format!("{}/{path}", self.endpoint);
            metadata.patiently("GET", &url, &headers).map_err(|error| say(format!("were not given: {error}")))
        };
        let role = match get(ROLES)? {
            (200, names) => String::from_utf8_lossy(&names).lines().next().unwrap_or_default().trim().to_owned(),
            (404, _) => return Ok(None),
            (status, _) => return Err(refused(status)),
        };
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"+=,.@-_".contains(&byte);
        if role.is_empty() || !role.bytes().all(is_name) {
            return Err(say("are of a role whose name is none".to_owned()));
        }
        match get(&format!("{ROLES}{role}"))? {
            (200, body) => parse(&body).map(Some).map_err(|what| say(format!("are of no use: {what}"))),
            (status, _) => Err(refused(status)),
        }
    }
}
