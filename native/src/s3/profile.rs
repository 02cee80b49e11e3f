//! `Profile`: what `~/.aws/credentials` and `~/.aws/config` say of one profile.

use std::collections::HashMap;
use std::path::Path;

use highwater_core::name::printable;

use super::environment::Environment;
use super::error::Error;
use super::files;
use crate::shown::quoted;

/// The values of a profile by name; those of a section within it as `s3.addressing_style`.
#[derive(Default)]
pub(super) struct Profile {
    /// Its name.
    pub(super) name: String,
    values: Values,
}

type Values = HashMap<String, String>;

impl Profile {
    /// The profile that `AWS_PROFILE` names, or `default`. Where both files have a value, the credentials' one holds.
    pub(super) fn load(environment: &Environment) -> Result<Self, Error> {
        let named = environment.get("AWS_PROFILE").or_else(|| environment.get("AWS_DEFAULT_PROFILE"));
        let name = named.clone().unwrap_or_else(|| "default".to_owned());
        let config = environment.file("AWS_CONFIG_FILE", ".aws/config");
        let credentials = environment.file("AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials");
        let config = config.as_deref().map_or_else(|| Ok(HashMap::new()), sections)?;
        let mut credentials = credentials.as_deref().map_or_else(|| Ok(HashMap::new()), sections)?;

        let of_config =
            section(&config, "profile", &name).or_else(|| config.get("default").filter(|_| name == "default"));
        let of_credentials = credentials.remove(&name);
        if named.is_some() && of_config.is_none() && of_credentials.is_none() {
            return Err(Error::Credentials(format!(
                "AWS_PROFILE is '{}', and neither ~/.aws/config nor ~/.aws/credentials has such a profile",
                printable(name.as_bytes())
            )));
        }
        let mut values = of_config.cloned().unwrap_or_default();
        if let Some(services) = values.get("services").and_then(|name| section(&config, "services", name)) {
            for (name, value) in services {
                values.entry(format!("services.{name}")).or_insert_with(|| value.clone());
            }
        }
        values.extend(of_credentials.unwrap_or_default());
        Ok(Self { name, values })
    }

    /// A value, if it is there and not empty.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }
}

fn section<'a>(sections: &'a HashMap<String, Values>, kind: &str, name: &str) -> Option<&'a Values> {
    sections.get(&format!("{kind} {name}"))
}

fn sections(path: &Path) -> Result<HashMap<String, Values>, Error> {
    let text = files::text(path)
        .map_err(|error| Error::Credentials(format!("the file {} cannot be read: {error}", quoted(path))))?;
    Ok(parse(&text.unwrap_or_default()))
}

/// Sections by title, one blank between its words. What is neither a title, a value nor a comment is passed over, as
/// the AWS command line does for values of later versions.
fn parse(text: &str) -> HashMap<String, Values> {
    let mut sections: HashMap<String, Values> = HashMap::new();
    let (mut title, mut outer): (Option<String>, Option<String>) = (None, None);
    for line in text.lines() {
        let is_inner = line.starts_with([' ', '\t']);
        let line = line.trim();
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        if let Some((name, _)) = line.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            let words: Vec<&str> = name.split_whitespace().map(|word| word.trim_matches(['"', '\''])).collect();
            let name = words.join(" ");
            sections.entry(name.clone()).or_default();
            (title, outer) = (Some(name), None);
            continue;
        }
        let (Some(title), Some((name, value))) = (&title, line.split_once('=')) else { continue };
        let (name, value) = (name.trim(), without_comment(value.trim()));
        let name = match &outer {
            Some(outer) if is_inner => format!("{outer}.{name}"),
            _ => name.to_owned(),
        };
        if !is_inner {
            outer = value.is_empty().then(|| name.clone());
        }
        sections.entry(title.clone()).or_default().insert(name, value.to_owned());
    }
    sections
}

/// A comment behind a value begins with a blank.
fn without_comment(value: &str) -> &str {
    let end = [" #", " ;", "\t#", "\t;"].iter().filter_map(|mark| value.find(mark)).min();
    end.map_or(value, |end| value[..end].trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_values_and_inner_values_are_found() {
        let found = parse(
            "stray = 1\n[default]\n; no = 1\nregion = eu-west-1 # here\ns3 =\n  addressing_style = path\n\
             output=json\n[profile  \"a b\"]\ncredential_process = /bin/x \"a=b\" --c\n\
             [services mine]\ns3 =\n\tendpoint_url=http://h\n",
        );
        let get = |title: &str, name: &str| found[title].get(name).map(String::as_str);
        assert_eq!(get("default", "region"), Some("eu-west-1"));
        assert_eq!(get("default", "s3.addressing_style"), Some("path"));
        assert_eq!(get("default", "output"), Some("json"));
        assert_eq!(get("profile a b", "credential_process"), Some("/bin/x \"a=b\" --c"));
        assert_eq!(get("services mine", "s3.endpoint_url"), Some("http://h"));
        assert_eq!(found.len(), 3);
    }
}
