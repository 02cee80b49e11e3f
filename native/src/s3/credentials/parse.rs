//! Credentials as programs and services give them: a JSON object.

use jiff::Timestamp;
use serde_json::Value;

use super::Credentials;

/// Reads `AccessKeyId`, `SecretAccessKey`, the token under its two names, and `Expiration`. The error quotes nothing:
/// what was read may hold a secret.
pub(super) fn parse(text: &[u8]) -> Result<Credentials, String> {
    let value: Value = serde_json::from_slice(text).map_err(|_| "what it gave is no JSON".to_owned())?;
    let get = |name: &str| value.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let need = |name: &str| get(name).ok_or_else(|| format!("what it gave has no {name}"));
    let token = get("SessionToken").or_else(|| get("Token"));
    let expires = match get("Expiration") {
        None => None,
        Some(time) => {
            let time: Timestamp = time.parse().map_err(|_| "its Expiration is no time".to_owned())?;
            Some(time.as_second())
        }
    };
    let found = Credentials::new(need("AccessKeyId")?, need("SecretAccessKey")?, token, expires);
    if found.is_clean() { Ok(found) } else { Err("what it gave has characters that no key has".to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_names_of_the_token_and_bad_input() {
        let text = r#"{"AccessKeyId":"A","SecretAccessKey":"hush","Token":"t","Expiration":"2026-01-02T03:04:05Z"}"#;
        let found = parse(text.as_bytes()).expect("credentials");
        assert_eq!(
            (found.id(), found.secret(), found.token(), found.expires),
            ("A", "hush", Some("t"), Some(1_767_323_045))
        );
        assert_eq!(parse(text.replace("Token", "SessionToken").as_bytes()).expect("credentials").token(), Some("t"));
        assert!(!format!("{found:?}").contains("hush"));
        for bad in ["", "{}", "[", r#"{"AccessKeyId":"A"}"#, r#"{"AccessKeyId":"A","SecretAccessKey":"hu\nsh"}"#] {
            let error = parse(bad.as_bytes()).expect_err(bad);
            assert!(!error.contains("hu"), "{error}");
        }
    }
}
