//! AWS Signature Version 4 as a server checks it, written apart from the product's from the S3 API reference.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use super::text::{decode, encode, hex};

/// What a signature covers.
#[derive(Debug, Clone)]
pub struct Covered<'a> {
    /// The method.
    pub method: &'a str,
    /// Path and query as they are on the wire.
    pub target: &'a str,
    /// Names in lower case with their values: those that are signed.
    pub headers: Vec<(&'a str, &'a str)>,
    /// The hash that `x-amz-content-sha256` names.
    pub body: &'a str,
}

fn hmac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("any length");
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

/// The signature in hexadecimal digits. `date` is `20130524T000000Z`.
pub fn of(secret: &str, date: &str, region: &str, covered: &Covered<'_>) -> String {
    let (path, query) = covered.target.split_once('?').unwrap_or((covered.target, ""));
    // S3 decodes the path and encodes it by its own rule; nothing is joined or dropped.
    let path = encode(&decode(path), true);
    let again = |text: &str| encode(&decode(text), false);
    let pair = |pair: &str| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        format!("{}={}", again(name), again(value))
    };
    let mut query: Vec<String> = query.split('&').filter(|pair| !pair.is_empty()).map(pair).collect();
    query.sort();
    let mut headers = covered.headers.clone();
    headers.sort();
    let names: Vec<&str> = headers.iter().map(|(name, _)| *name).collect();
    let lines: String = headers.iter().map(|(name, value)| format!("{name}:{}\n", value.trim())).collect();
    let request =
        format!("{}\n{path}\n{}\n{lines}\n{}\n{}", covered.method, query.join("&"), names.join(";"), covered.body);
    let day = &date[..8];
    let hash = hex(&Sha256::digest(request.as_bytes()));
    let text = format!("AWS4-HMAC-SHA256\n{date}\n{day}/{region}/s3/aws4_request\n{hash}");
    let key = [day, region, "s3", "aws4_request"]
        .iter()
        .fold(format!("AWS4{secret}").into_bytes(), |key, part| hmac(&key, part));
    hex(&hmac(&key, &text))
}

/// The seconds since 1970 of `20150830T123600Z`.
pub(super) fn seconds(date: &str) -> Option<i64> {
    let number = |range: std::ops::Range<usize>| date.get(range)?.parse::<i64>().ok();
    let (year, month, day) = (number(0..4)?, number(4..6)?, number(6..8)?);
    let (hour, minute, second) = (number(9..11)?, number(11..13)?, number(13..15)?);
    // Days since 1970 of the proleptic calendar, with the year that begins in March.
    let (year, month) = if month <= 2 { (year - 1, month + 9) } else { (year, month - 3) };
    let days = 365 * year + year / 4 - year / 100 + year / 400 + (month * 306 + 5) / 10 + day - 1 - 719_468;
    Some(days * 86_400 + hour * 3_600 + minute * 60 + second)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first example of the S3 API reference.
    #[test]
    fn it_signs_as_documented() {
        let body = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        let headers = vec![
            ("host", "examplebucket.s3.amazonaws.com"),
            ("range", "bytes=0-9"),
            ("x-amz-content-sha256", body),
            ("x-amz-date", "20130524T000000Z"),
        ];
        let covered = Covered { method: "GET", target: "/test.txt", headers, body };
        assert_eq!(
            of("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "20130524T000000Z", "us-east-1", &covered),
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
        );
    }
}
