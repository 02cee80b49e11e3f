//! `Source`: a place that credentials come from.

use std::fmt;

use super::super::environment::Environment;
use super::super::error::Error;
use super::super::profile::Profile;
use super::super::wire::Metadata;
use super::container::Container;
use super::instance::Instance;
use super::{Credentials, process};

/// A place that credentials come from, without their secrets in its `Debug` text.
#[derive(Clone)]
pub enum Source {
    /// Given ones, which are not fetched anew.
    Fixed(Credentials),
    /// The program of a profile, as a line for a shell.
    Process(String),
    /// A container's role.
    Container(Container),
    /// An instance's role.
    Instance(Instance),
}

impl Source {
    /// The sources to try, in the AWS command line's order. None at all: requests are not signed.
    pub(in super::super) fn chain(environment: &Environment, profile: &Profile) -> Result<Vec<Self>, Error> {
        if let Some(given) = from_environment(environment)? {
            return Ok(vec![Self::Fixed(given)]);
        }
        if environment.get("AWS_WEB_IDENTITY_TOKEN_FILE").is_some() {
            return Err(needs_help("AWS_WEB_IDENTITY_TOKEN_FILE is set"));
        }
        if let Some(source) = of_profile(profile)? {
            return Ok(vec![source]);
        }
        if let Some(container) = Container::from(environment) {
            return Ok(vec![Self::Container(container)]);
        }
        Ok(Instance::from(environment).map(Self::Instance).into_iter().collect())
    }

    /// Fetches them; `None` if there are none here.
    pub(super) fn fetch(&self, metadata: &Metadata) -> Result<Option<Credentials>, String> {
        match self {
            Self::Fixed(given) => Ok(Some(given.clone())),
            Self::Process(line) => process::fetch(line).map(Some),
            Self::Container(container) => container.fetch(metadata).map(Some),
            Self::Instance(instance) => instance.fetch(metadata),
        }
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A line for a shell, or an address, may hold a secret.
        f.write_str(match self {
            Self::Fixed(_) => "Fixed",
            Self::Process(_) => "Process",
            Self::Container(_) => "Container",
            Self::Instance(_) => "Instance",
        })
    }
}

fn from_environment(environment: &Environment) -> Result<Option<Credentials>, Error> {
    let (id, secret) = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY");
    let (id, secret) = match (environment.get(id), environment.get(secret)) {
        (Some(id), Some(secret)) => (id, secret),
        (None, None) => return Ok(None),
        (Some(_), None) => return Err(Error::Credentials(format!("{id} is set, but {secret} is not"))),
        (None, Some(_)) => return Err(Error::Credentials(format!("{secret} is set, but {id} is not"))),
    };
    checked("the environment", &id, &secret, environment.get("AWS_SESSION_TOKEN").as_deref()).map(Some)
}

fn of_profile(profile: &Profile) -> Result<Option<Source>, Error> {
    let of = || format!("the profile '{}'", highwater_core::name::printable(profile.name.as_bytes()));
    // A role is taken with the keys beside it, so that it goes before them.
    if profile.get("role_arn").is_some() {
        return Err(needs_help(&format!("{} has role_arn", of())));
    }
    match (profile.get("aws_access_key_id"), profile.get("aws_secret_access_key")) {
        (Some(id), Some(secret)) => {
            return checked(&of(), id, secret, profile.get("aws_session_token"))
                .map(|given| Some(Source::Fixed(given)));
        }
        (None, None) => {}
        _ => return Err(Error::Credentials(format!("{} has only one half of a key", of()))),
    }
    if let Some(line) = profile.get("credential_process") {
        return Ok(Some(Source::Process(line.to_owned())));
    }
    if profile.get("sso_session").or_else(|| profile.get("sso_start_url")).is_some() {
        return Err(needs_help(&format!("{} has sso_session or sso_start_url", of())));
    }
    Ok(None)
}

fn checked(of: &str, id: &str, secret: &str, token: Option<&str>) -> Result<Credentials, Error> {
    let given = Credentials::new(id, secret, token, None);
    if given.is_clean() {
        return Ok(given);
    }
    Err(Error::Credentials(format!("the key of {of} has characters that no key has, such as a blank or a line end")))
}

fn needs_help(what: &str) -> Error {
    Error::Credentials(format!(
        "{what}, which needs a login that only the AWS command line knows: set AWS_PROFILE to a profile with \
         credential_process = aws configure export-credentials --profile NAME"
    ))
}
