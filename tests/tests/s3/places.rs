//! Where a bucket is, who may ask, and what stands on the wire.

use std::sync::Arc;

use highwater::s3::credentials::{Credentials, Source};
use highwater::s3::{Ask, Client, Environment, Error, Listing, Settings, Style};
use highwater_tests::python;
use highwater_tests::s3::admin::target;
use highwater_tests::s3::observe::Watched;
use highwater_tests::s3::{Fault, KEY, Rule, SECRET, Server};

const BUCKET: &str = "one-bucket";

fn server() -> Server {
    let server = Server::start();
    server.shelves(|shelves| shelves.put(BUCKET, b"k", b"body"));
    server
}

fn get(client: &Client) -> Result<Vec<u8>, Error> {
    client.get_bytes(&Ask::latest(BUCKET, b"k"), 99).map(|(_, body)| body)
}

#[test]
fn the_region_of_a_bucket_is_learnt_once() {
    let server = server();
    server.shelves(|shelves| shelves.bucket(BUCKET).region = "ap-south-1".to_owned());
    for method in ["GET", "HEAD", "list"] {
        let client = server.client();
        let ask = || match method {
            "GET" => get(&client).map(drop),
            "HEAD" => client.head(&Ask::latest(BUCKET, b"k")).map(drop),
            _ => client.list(&Listing::all(BUCKET, b"")).next().expect("a page").map(drop),
        };
        server.log();
        ask().unwrap_or_else(|error| panic!("{method}: {error}"));
        ask().unwrap_or_else(|error| panic!("{method}: {error}"));
        let statuses: Vec<u16> = server.log().iter().map(|asked| asked.status).collect();
        assert_eq!((client.region(BUCKET).as_str(), &statuses[..]), ("ap-south-1", &[400, 200, 200][..]), "{method}");
        assert_ne!(client.region("another"), "ap-south-1");
    }
}

#[test]
fn a_redirect_to_another_region_is_followed_and_no_other() {
    let server = server();
    server.shelves(|shelves| shelves.bucket(BUCKET).region = "us-west-2".to_owned());
    for status in [301, 307] {
        let client = server.client();
        server.plan(Rule::next(Fault::Status(status, "PermanentRedirect", vec![("x-amz-bucket-region", "us-west-2")])));
        assert_eq!(get(&client).expect("there"), b"body");
    }
    // From one to the other and back: there is an end.
    let client = server.client_with(|settings| settings.attempts = 6);
    let before = server.requests();
    for region in ["a-1", "b-1", "a-1", "b-1", "a-1", "b-1", "a-1"] {
        server.plan(Rule::next(Fault::Status(301, "PermanentRedirect", vec![("x-amz-bucket-region", region)])));
    }
    let error = get(&client).expect_err("round in circles");
    assert!(matches!(error, Error::Other { status: 301, .. }), "{error:?}");
    assert_eq!(server.requests() - before, 6);
}

#[test]
fn who_pays_is_said_if_it_is_asked_for() {
    let server = server();
    server.shelves(|shelves| shelves.bucket(BUCKET).requester_pays = true);
    assert!(matches!(get(&server.client()), Err(Error::Forbidden { .. })));
    assert_eq!(get(&server.client_with(|settings| settings.requester_pays = true)).expect("paid"), b"body");
}

#[test]
fn nobody_may_read_what_everybody_may() {
    let server = server();
    let client = server.client_with(|settings| settings.sources.clear());
    let error = get(&client).expect_err("not public");
    assert!(matches!(error, Error::Forbidden { anonymous: true, .. }), "{error:?}");
    assert!(error.to_string().contains("without credentials"), "{error}");
    server.shelves(|shelves| shelves.bucket(BUCKET).public = true);
    server.log();
    assert_eq!(get(&client).expect("public"), b"body");
    assert!(server.log().iter().all(|asked| asked.signer.is_none()));
}

#[test]
fn a_clock_that_is_wrong_is_set_by_the_servers() {
    for ahead in [3 * 3_600, -40 * 86_400] {
        let server = server();
        server.set_ahead(ahead);
        let client = server.client();
        assert_eq!(get(&client).expect("in the end"), b"body");
        assert_eq!(get(&client).expect("at once"), b"body");
        assert_eq!(server.requests(), 3);
    }
}

/// What is signed is what is sent: each path as it stands on the wire.
#[test]
fn no_path_is_made_nicer_on_its_way() {
    let server = server();
    let client = server.client();
    for key in ["a//b", "/x", "//x", "../x", "a/../../b", "..", ".", "./x", "a/", "a//", "%2e%2e", "a b+c", "я\n"] {
        let before = server.log().len();
        assert_eq!(before, if key == "a//b" { 0 } else { 1 });
        let error = client.get_bytes(&Ask::latest(BUCKET, key.as_bytes()), 9).expect_err(key);
        assert!(matches!(error, Error::NotFound { .. }), "{key}: {error:?}");
        server.plan(Rule::next(Fault::None));
        let log = server.log();
        assert_eq!(log[0].target, target(BUCKET, key.as_bytes()));
        client.get_bytes(&Ask::latest(BUCKET, b"k"), 9).expect("the connection is in order");
    }
    assert!(matches!(client.get_bytes(&Ask::latest(BUCKET, b""), 9), Err(Error::Settings(_))));
    for (name, region) in [("a/b", None), ("a@evil.example", None), (BUCKET, Some("x/y"))] {
        let client = server.client_with(|settings| settings.region = region.map(ToOwned::to_owned));
        let error = client.get_bytes(&Ask::latest(name, b"k"), 9).expect_err(name);
        assert!(matches!(error, Error::Settings(_)), "{error:?}");
    }
    // What would end a header is refused before it is sent.
    let ask = Ask { if_match: Some("a\r\nx: y"), ..Ask::latest(BUCKET, b"k") };
    assert!(matches!(client.get_bytes(&ask, 9), Err(Error::Settings(_))));
    let ask = Ask::version(BUCKET, b"k", "a&b=c\n");
    assert!(matches!(client.get_bytes(&ask, 9), Err(Error::NotFound { .. })));
}

#[test]
fn parts_of_an_upload_are_told() {
    let server = Server::start();
    let body: Vec<u8> = (0..250u8).collect();
    server.shelves(|shelves| shelves.put_parts(BUCKET, b"k", &body, 100));
    let client = server.client();
    let part = |number| Ask { part: Some(number), ..Ask::latest(BUCKET, b"k") };
    let (head, bytes) = client.get_bytes(&part(3), 999).expect("the last part");
    assert_eq!((head.parts, head.range, bytes.as_slice()), (Some(3), 200..250, &body[200..]));
    assert_eq!(client.head(&part(1)).expect("the first part").range, 0..100);
    assert!(head.etag.is_some_and(|etag| etag.ends_with("-3")));
    // A part that breaks is taken up by range.
    server.plan(Rule::next(Fault::Cut(10)));
    assert_eq!(client.get_bytes(&part(2), 999).expect("the second part").1, &body[100..200]);
}

#[test]
fn a_profile_or_the_environment_says_where() {
    let folder = tempfile::tempdir().expect("a folder");
    let (config, credentials) = (folder.path().join("config"), folder.path().join("credentials"));
    std::fs::write(
        &config,
        "[default]\nregion = eu-west-1\n[profile p]\nregion = eu-west-2\nendpoint_url = http://127.0.0.1:1\n\
         s3 =\n  addressing_style = path\n[profile q]\nservices = own\n[services own]\ns3 =\n\
         \x20 endpoint_url = http://h\n\
         [profile bad]\ns3 =\n  addressing_style = nonsense\n",
    )
    .expect("a file");
    std::fs::write(&credentials, "[default]\naws_access_key_id = A\naws_secret_access_key = hush\n").expect("a file");
    let (config, credentials) = (config.to_str().expect("text"), credentials.to_str().expect("text"));
    let settings = |more: &[(&str, &str)]| {
        let base = [
            ("AWS_CONFIG_FILE", config),
            ("AWS_SHARED_CREDENTIALS_FILE", credentials),
            ("AWS_EC2_METADATA_DISABLED", "true"),
        ];
        Settings::from_environment(&base.iter().chain(more).copied().collect())
    };
    let plain = settings(&[]).expect("the default");
    assert_eq!((plain.region.as_deref(), plain.endpoint, plain.style), (Some("eu-west-1"), None, None));
    assert_eq!(format!("{:?}", plain.sources), "[Fixed]");
    let own = settings(&[("AWS_PROFILE", "p")]).expect("p");
    assert_eq!((own.region.as_deref(), own.endpoint.as_deref()), (Some("eu-west-2"), Some("http://127.0.0.1:1")));
    assert_eq!((own.style, own.sources.len()), (Some(Style::Path), 0));
    let own = settings(&[("AWS_PROFILE", "q")]).expect("q");
    assert_eq!(own.endpoint.as_deref(), Some("http://h"));
    let own = settings(&[("AWS_PROFILE", "q"), ("AWS_ENDPOINT_URL", "http://e"), ("AWS_REGION", "r-1")]).expect("q");
    assert_eq!((own.endpoint.as_deref(), own.region.as_deref()), (Some("http://e"), Some("r-1")));
    let own = settings(&[("AWS_ENDPOINT_URL", "http://e"), ("AWS_ENDPOINT_URL_S3", "http://s")]).expect("both");
    assert_eq!(own.endpoint.as_deref(), Some("http://s"));
    assert!(matches!(settings(&[("AWS_PROFILE", "none")]), Err(Error::Credentials(_))));
    assert!(matches!(settings(&[("AWS_PROFILE", "bad")]), Err(Error::Settings(_))));
    let error =
        Client::new(settings(&[("AWS_ENDPOINT_URL", "nonsense")]).expect("a text")).map(drop).expect_err("no address");
    assert!(matches!(error, Error::Settings(_)), "{error:?}");
    let bundle =
        Client::new(settings(&[("AWS_CA_BUNDLE", config)]).expect("a path")).map(drop).expect_err("no certificates");
    assert!(bundle.to_string().contains("certificates"), "{bundle}");
}

/// TLS to a server whose certificate is trusted, and to one whose is not.
#[test]
fn certificates_are_checked() {
    let server = server();
    let folder = tempfile::tempdir().expect("a folder");
    let mut front = python::command("tls_front.py");
    front.arg(folder.path()).arg(server.address().port().to_string());
    let mut front = front.stdout(std::process::Stdio::piped()).spawn().expect("Python starts");
    let mut line = String::new();
    let mut said = std::io::BufReader::new(front.stdout.take().expect("a pipe"));
    std::io::BufRead::read_line(&mut said, &mut line).expect("its port");
    let endpoint = format!("https://localhost:{}", line.trim());
    let ask = |bundle: Option<&str>| {
        let mut settings = Settings {
            endpoint: Some(endpoint.clone()),
            sources: vec![Source::Fixed(Credentials::new(KEY, SECRET, None, None))],
            clock: Arc::new(Watched::default()),
            ..server.settings()
        };
        settings.certificates = bundle.map(|name| folder.path().join(name));
        get(&Client::new(settings).expect("a client"))
    };
    let results = [ask(Some("ca.pem")), ask(Some("other.pem")), ask(None)];
    // It ends with its standard input, or so; by its id in any case.
    front.kill().expect("it can be ended");
    front.wait().expect("it ends");
    let [trusted, other, public] = results;
    assert_eq!(trusted.expect("trusted"), b"body");
    for untrusted in [other, public] {
        let error = untrusted.expect_err("not trusted");
        assert!(matches!(error, Error::Wire { attempts: 1, .. }), "{error:?}");
    }
}

/// A signature is over the host that is asked: one for another would be of no use.
#[test]
fn loopback_is_asked_around_any_proxy() {
    let endpoint = |text: &str| highwater::s3::endpoint::Endpoint::new(Some(text), None).expect(text).is_loopback();
    for near in ["http://127.0.0.1:1", "http://localhost", "https://[::1]:9", "http://127.9.9.9"] {
        assert!(endpoint(near), "{near}");
    }
    for far in ["http://127.0.0.1.example.org", "http://10.0.0.1", "https://s3.example.org"] {
        assert!(!endpoint(far), "{far}");
    }
    assert!(Environment::of(&[("A", "")]).get("A").is_none());
}
