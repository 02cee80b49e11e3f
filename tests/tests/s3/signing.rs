//! Signatures: AWS's test suite for Signature Version 4, and the examples of the S3 API reference.
//!
//! Left out of the suite are requests that S3 signs by another rule: those whose path is normalised first.

use highwater::s3::credentials::Credentials;
use highwater::s3::sign::{NO_BODY, Signed, Signer};

/// A request and its signature.
struct Vector {
    name: &'static str,
    method: &'static str,
    path: &'static str,
    query: &'static str,
    headers: &'static [(&'static str, &'static str)],
    body: &'static str,
    signature: &'static str,
}

/// What each request of the suite has.
const HOST: (&str, &str) = ("host", "example.amazonaws.com");
const DATE: (&str, &str) = ("x-amz-date", "20150830T123600Z");

const fn vanilla(name: &'static str, path: &'static str, query: &'static str, signature: &'static str) -> Vector {
    Vector { name, method: "GET", path, query, headers: &[HOST, DATE], body: NO_BODY, signature }
}

/// Key, day, region and service of the suite: AKIDEXAMPLE, 20150830, us-east-1, service.
const SUITE: &[Vector] = &[
    vanilla("get-vanilla", "/", "", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
    vanilla(
        "get-vanilla-empty-query-key",
        "/",
        "Param1=value1",
        "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb",
    ),
    vanilla(
        "get-vanilla-query-order-key-case",
        "/",
        "Param1=value1&Param2=value2",
        "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
    ),
    vanilla(
        "get-vanilla-query-unreserved",
        "/",
        "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz=\
         -._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
        "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197",
    ),
    vanilla(
        "get-vanilla-utf8-query",
        "/",
        "%E1%88%B4=bar",
        "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04",
    ),
    vanilla(
        "get-unreserved",
        "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
        "",
        "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f",
    ),
    vanilla("get-utf8", "/%E1%88%B4", "", "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"),
    vanilla("get-space", "/example%20space/", "", "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741"),
    Vector {
        name: "get-header-value-trim",
        method: "GET",
        path: "/",
        query: "",
        headers: &[HOST, ("my-header1", "value1"), ("my-header2", "\"a   b   c\""), DATE],
        body: NO_BODY,
        signature: "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
    },
    Vector {
        name: "get-header-key-duplicate",
        method: "GET",
        path: "/",
        query: "",
        headers: &[HOST, ("my-header1", "value2,value2,value1"), DATE],
        body: NO_BODY,
        signature: "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea",
    },
    Vector {
        name: "post-vanilla",
        method: "POST",
        path: "/",
        query: "",
        headers: &[HOST, DATE],
        body: NO_BODY,
        signature: "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
    },
    Vector {
        name: "post-vanilla-query",
        method: "POST",
        path: "/",
        query: "Param1=value1",
        headers: &[HOST, DATE],
        body: NO_BODY,
        signature: "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11",
    },
    Vector {
        name: "post-x-www-form-urlencoded",
        method: "POST",
        path: "/",
        query: "",
        headers: &[("content-type", "application/x-www-form-urlencoded"), HOST, DATE],
        // Of "Param1=value1".
        body: "9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e",
        signature: "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
    },
];

/// The examples of "Signature Calculations for the Authorization Header" in the S3 API reference: AKIAIOSFODNN7EXAMPLE,
/// 20130524, us-east-1, s3.
const EXAMPLES: &[Vector] = &[
    Vector {
        name: "GET Object",
        method: "GET",
        path: "/test.txt",
        query: "",
        headers: &[
            ("host", "examplebucket.s3.amazonaws.com"),
            ("range", "bytes=0-9"),
            ("x-amz-content-sha256", NO_BODY),
            ("x-amz-date", "20130524T000000Z"),
        ],
        body: NO_BODY,
        signature: "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
    },
    Vector {
        name: "PUT Object",
        method: "PUT",
        path: "/test%24file.text",
        query: "",
        headers: &[
            ("date", "Fri, 24 May 2013 00:00:00 GMT"),
            ("host", "examplebucket.s3.amazonaws.com"),
            ("x-amz-content-sha256", "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072"),
            ("x-amz-date", "20130524T000000Z"),
            ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
        ],
        body: "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072",
        signature: "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
    },
    Vector {
        name: "GET Bucket Lifecycle",
        method: "GET",
        path: "/",
        query: "lifecycle=",
        headers: &[
            ("host", "examplebucket.s3.amazonaws.com"),
            ("x-amz-content-sha256", NO_BODY),
            ("x-amz-date", "20130524T000000Z"),
        ],
        body: NO_BODY,
        signature: "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
    },
    Vector {
        name: "GET Bucket (List Objects)",
        method: "GET",
        path: "/",
        query: "max-keys=2&prefix=J",
        headers: &[
            ("host", "examplebucket.s3.amazonaws.com"),
            ("x-amz-content-sha256", NO_BODY),
            ("x-amz-date", "20130524T000000Z"),
        ],
        body: NO_BODY,
        signature: "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
    },
];

fn check(signer: &Signer, who: &Credentials, date: &str, vectors: &[Vector]) {
    let mut wrong = Vec::new();
    for Vector { name, method, path, query, headers, body, signature } in vectors {
        let value = signer.authorization(who, date, "us-east-1", &Signed { method, path, query, headers, body });
        if !value.ends_with(&format!("Signature={signature}")) {
            wrong.push(format!("{name}: {value}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_test_suite_of_aws() {
    let who = Credentials::new("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", None, None);
    check(&Signer::new("service"), &who, "20150830T123600Z", SUITE);
}

#[test]
fn the_examples_of_the_s3_reference() {
    let who = Credentials::new("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", None, None);
    check(&Signer::new("s3"), &who, "20130524T000000Z", EXAMPLES);
}

/// The key for a day is kept; another day, region or key makes another.
#[test]
fn a_kept_key_is_not_used_for_another_day() {
    let request = Signed { method: "GET", path: "/", query: "", headers: &[HOST, DATE], body: NO_BODY };
    let who = Credentials::new("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", None, None);
    let other = Credentials::new("AKIDEXAMPLE2", "other", None, None);
    let kept = Signer::new("service");
    for (who, date, region) in [
        (&who, "20150830T123600Z", "us-east-1"),
        (&who, "20150831T123600Z", "us-east-1"),
        (&who, "20150831T123600Z", "eu-west-1"),
        (&other, "20150831T123600Z", "eu-west-1"),
        (&who, "20150830T123600Z", "us-east-1"),
    ] {
        let fresh = Signer::new("service").authorization(who, date, region, &request);
        assert_eq!(kept.authorization(who, date, region, &request), fresh);
    }
}
