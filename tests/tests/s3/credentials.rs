//! Where credentials come from, when they are fetched anew, and that nothing tells their secrets.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;

use highwater::s3::credentials::{Credentials, Keeper, Source};
use highwater::s3::{Ask, Client, Environment, Error, Settings};
use highwater_tests::s3::{Rule, Server, fault::Fault};
use tempfile::TempDir;

const HUSH: &str = "SECRET-hush-hush";
const NOW: i64 = 1_800_000_000;

/// A desk that gives what a metadata service gives, by a function of the request's first line and text.
struct Desk {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
}

type Reply = Box<dyn Fn(&str) -> (u16, String) + Send>;

impl Desk {
    fn open(reply: Reply) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let log = Arc::clone(&asked);
        // It ends with the test's process.
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                serve(stream, &*reply, &log);
            }
        });
        Self { address, asked }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.asked.lock().expect("no panic"))
    }
}

fn serve(mut stream: TcpStream, reply: &(dyn Fn(&str) -> (u16, String) + Send), log: &Mutex<Vec<String>>) {
    let mut text = Vec::new();
    let mut piece = [0; 4096];
    while !text.windows(4).any(|window| window == b"\r\n\r\n") {
        match stream.read(&mut piece) {
            Ok(some) if some > 0 => text.extend_from_slice(&piece[..some]),
            _ => return,
        }
    }
    let text = String::from_utf8_lossy(&text).into_owned();
    log.lock().expect("no panic").push(text.lines().next().unwrap_or_default().to_owned());
    // What has no body says so.
    let in_chunks = text.to_lowercase().contains("transfer-encoding");
    let (status, body) = if in_chunks { (501, String::new()) } else { reply(&text) };
    // The client may have gone.
    let _ = write!(stream, "HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len());
}

fn json(id: &str, ends: i64) -> String {
    let ends = jiff_text(ends);
    format!(
        r#"{{"Version":1,"Code":"Success","AccessKeyId":"{id}","SecretAccessKey":"{HUSH}",
            "Token":"{HUSH}-token","Expiration":"{ends}"}}"#
    )
}

/// A second since 1970 as an ISO time.
fn jiff_text(second: i64) -> String {
    let text = highwater::s3::sign::date(second);
    let part = |range: std::ops::Range<usize>| &text[range];
    format!("{}-{}-{}T{}:{}:{}Z", part(0..4), part(4..6), part(6..8), part(9..11), part(11..13), part(13..15))
}

/// Settings from these variables and no files of the user's.
fn settings(more: &[(&str, &str)]) -> Result<Settings, Error> {
    let none = [("AWS_CONFIG_FILE", "/none"), ("AWS_SHARED_CREDENTIALS_FILE", "/none")];
    let off = [("AWS_EC2_METADATA_DISABLED", "true")];
    let environment: Environment = none.iter().chain(&off).chain(more).copied().collect();
    Settings::from_environment(&environment)
}

fn keeper(more: &[(&str, &str)]) -> Keeper {
    Keeper::new(settings(more).unwrap_or_else(|error| panic!("{error}")).sources)
}

fn id(keeper: &Keeper, now: i64) -> Option<String> {
    keeper.at(now).unwrap_or_else(|error| panic!("{error}")).map(|found| found.id().to_owned())
}

/// A profile whose credentials a script prints; it counts how often it ran.
fn process(script: &str) -> (TempDir, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("give it.sh");
    fs::write(&path, format!("#!/bin/sh\necho x >> '{}/runs'\n{script}\n", folder.path().display())).expect("a script");
    let config = folder.path().join("config");
    fs::write(&config, format!("[default]\ncredential_process = sh \"{}\" \"an argument\"\n", path.display()))
        .expect("a file");
    let config = config.to_str().expect("text").to_owned();
    (folder, config)
}

fn runs(folder: &Path) -> usize {
    fs::read_to_string(folder.join("runs")).map_or(0, |text| text.lines().count())
}

#[test]
fn the_environment_goes_first_and_must_be_whole() {
    let keys = [("AWS_ACCESS_KEY_ID", "A"), ("AWS_SECRET_ACCESS_KEY", HUSH), ("AWS_SESSION_TOKEN", HUSH)];
    assert_eq!(id(&keeper(&keys), NOW).as_deref(), Some("A"));
    for half in [&keys[..1], &keys[1..]] {
        let error = settings(half).expect_err("half a key").to_string();
        assert!(error.contains("is set, but") && !error.contains(HUSH), "{error}");
    }
    let line = format!("{HUSH}\n");
    let error = settings(&[("AWS_ACCESS_KEY_ID", "A"), ("AWS_SECRET_ACCESS_KEY", &line)]).expect_err("a line end");
    assert!(!error.to_string().contains(HUSH), "{error}");
    assert_eq!(id(&keeper(&[]), NOW), None);
}

#[test]
fn what_only_the_aws_command_line_can_do_is_refused_by_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = folder.path().join("config");
    let path = config.to_str().expect("text");
    for (text, named) in [
        ("[default]\nrole_arn = arn:x\nsource_profile = y\n", "role_arn"),
        ("[default]\nsso_session = s\n", "sso_session"),
        ("[default]\naws_access_key_id = A\n", "one half"),
    ] {
        fs::write(&config, text).expect("a file");
        let error = settings(&[("AWS_CONFIG_FILE", path)]).expect_err(named).to_string();
        assert!(error.contains(named), "{error}");
    }
    let error = settings(&[("AWS_WEB_IDENTITY_TOKEN_FILE", "/t")]).expect_err("a web identity").to_string();
    assert!(error.contains("credential_process"), "{error}");
}

#[test]
fn a_program_gives_them_and_is_run_again_before_they_end() {
    let text = json("P", NOW + 3_600);
    let (folder, config) = process(&format!("[ \"$1\" = 'an argument' ] && echo '{text}'"));
    let keeper = keeper(&[("AWS_CONFIG_FILE", &config)]);
    for now in [NOW, NOW + 1, NOW + 3_299] {
        assert_eq!((id(&keeper, now).as_deref(), runs(folder.path())), (Some("P"), 1));
    }
    // Five minutes before their end it is asked again; it gives none that last longer, and they are still good.
    assert_eq!((id(&keeper, NOW + 3_301).as_deref(), runs(folder.path())), (Some("P"), 2));
    let error = keeper.at(NOW + 3_600).expect_err("they have ended").to_string();
    assert!(error.contains("expired already"), "{error}");
}

#[test]
fn a_source_that_fails_is_not_asked_at_every_request_while_the_old_ones_are_good() {
    let text = json("P", NOW + 200);
    let (folder, config) = process(&format!("[ $(wc -l < \"$(dirname \"$0\")/runs\") = 1 ] && echo '{text}'"));
    let keeper = keeper(&[("AWS_CONFIG_FILE", &config)]);
    assert_eq!((id(&keeper, NOW).as_deref(), runs(folder.path())), (Some("P"), 1));
    for now in [NOW + 1, NOW + 2, NOW + 30] {
        assert_eq!((id(&keeper, now).as_deref(), runs(folder.path())), (Some("P"), 2), "{now}");
    }
    assert_eq!((id(&keeper, NOW + 31).as_deref(), runs(folder.path())), (Some("P"), 3));
    keeper.at(NOW + 200).expect_err("they have ended");
}

#[test]
fn a_program_that_gives_nothing_of_use_is_told_without_its_words() {
    for script in [
        format!("echo '{HUSH}'"),
        format!("echo '{{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"{HUSH} with blanks\"}}'"),
        format!("echo '{{\"AccessKeyId\":\"A\",\"Token\":\"{HUSH}\"}}'"),
        format!("echo '{HUSH}'; exit 3"),
        "exec 1>&-".to_owned(),
        "kill -9 $$".to_owned(),
        "yes".to_owned(),
    ] {
        let (_folder, config) = process(&script);
        let keeper = keeper(&[("AWS_CONFIG_FILE", &config)]);
        let error = keeper.at(NOW).expect_err(&script).to_string();
        assert!(error.contains("credential_process") && !error.contains(HUSH), "{error}");
        assert!(!format!("{keeper:?}").contains(HUSH));
    }
}

#[test]
fn a_container_gives_them_for_its_token() {
    let desk = Desk::open(Box::new(|text| {
        let is_good = text.starts_with("GET /v2/x?y=1 ") && text.to_lowercase().contains("authorization: tok-en\r\n");
        if is_good { (200, json("C", NOW + 3_600)) } else { (401, HUSH.to_owned()) }
    }));
    let uri = desk.url("/v2/x?y=1");
    let with = |name: &str, value: &str| keeper(&[("AWS_CONTAINER_CREDENTIALS_FULL_URI", &uri), (name, value)]);
    assert_eq!(id(&with("AWS_CONTAINER_AUTHORIZATION_TOKEN", "tok-en"), NOW).as_deref(), Some("C"));
    let file = tempfile::NamedTempFile::new().expect("a file");
    fs::write(&file, "tok-en\n").expect("a file");
    let path = file.path().to_str().expect("text");
    assert_eq!(id(&with("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", path), NOW).as_deref(), Some("C"));
    let error = with("AWS_CONTAINER_AUTHORIZATION_TOKEN", "other").at(NOW).expect_err("refused").to_string();
    assert!(error.contains("401") && !error.contains(HUSH), "{error}");
    // A token that cannot stand in a header is not told either.
    let error = with("AWS_CONTAINER_AUTHORIZATION_TOKEN", "hush-\u{1}").at(NOW).expect_err("no header").to_string();
    assert!(!error.contains("hush-"), "{error}");
    let far = [
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://credentials.example/"),
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN", HUSH),
    ];
    let error = keeper(&far).at(NOW).expect_err("a foreign host").to_string();
    assert!(error.contains("neither https, loopback") && !error.contains(HUSH), "{error}");
}

/// An instance's service, of version 2.
fn instance(role: &'static str, token_status: u16) -> Desk {
    Desk::open(Box::new(move |text| {
        let lower = text.to_lowercase();
        let has_token = lower.contains("x-aws-ec2-metadata-token: t0ken\r\n");
        let path = text.split(' ').nth(1).unwrap_or_default();
        match path {
            "/latest/api/token" if text.starts_with("PUT") && lower.contains("token-ttl-seconds: 21600") => {
                (token_status, "t0ken".to_owned())
            }
            "/latest/meta-data/iam/security-credentials/" if has_token && role.is_empty() => (404, String::new()),
            "/latest/meta-data/iam/security-credentials/" if has_token => (200, format!("{role}\nanother")),
            "/latest/meta-data/iam/security-credentials/my-role" if has_token => (200, json("I", NOW + 3_600)),
            _ => (401, HUSH.to_owned()),
        }
    }))
}

fn of_instance(endpoint: &str, more: &[(&str, &str)]) -> Keeper {
    let base = [("AWS_EC2_METADATA_DISABLED", ""), ("AWS_EC2_METADATA_SERVICE_ENDPOINT", endpoint)];
    keeper(&base.iter().chain(more).copied().collect::<Vec<_>>())
}

#[test]
fn an_instance_gives_them_for_a_token_only() {
    let desk = instance("my-role", 200);
    let keeper = of_instance(&desk.url("/"), &[]);
    assert_eq!(id(&keeper, NOW).as_deref(), Some("I"));
    assert_eq!(id(&keeper, NOW + 60).as_deref(), Some("I"));
    assert_eq!(desk.asked().len(), 3);
    // They would end: once more, from the same source.
    keeper.at(NOW + 3_400).expect("still good");
    assert_eq!(desk.asked().len(), 3);
    assert_eq!(id(&of_instance(&instance("", 200).url(""), &[]), NOW), None);
    for (role, status) in [("my-role", 403), ("../up", 200), ("a b", 200), ("other", 200)] {
        let desk = instance(role, status);
        let error = of_instance(&desk.url(""), &[]).at(NOW).expect_err(role).to_string();
        assert!(error.contains("instance's credentials") && !error.contains(HUSH), "{error}");
        assert!(desk.asked().iter().all(|line| !line.contains("..")));
    }
}

#[test]
fn a_machine_that_is_no_instance_asks_as_nobody_and_not_again() {
    let closed = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    let keeper = of_instance(&format!("http://{closed}"), &[]);
    assert_eq!((id(&keeper, NOW), id(&keeper, NOW)), (None, None));
    let desk = instance("my-role", 200);
    let keeper = of_instance(&desk.url(""), &[("AWS_EC2_METADATA_DISABLED", "TRUE")]);
    assert_eq!((id(&keeper, NOW), desk.asked().len()), (None, 0));
}

/// S3 says that a key has expired: another one is fetched, once.
#[test]
fn a_key_that_s3_calls_expired_is_fetched_anew() {
    let server = Server::start();
    server.shelves(|shelves| shelves.put("one-bucket", b"k", b"body"));
    server.expire("K1");
    server.know("K2", HUSH, Some(&format!("{HUSH}-token")));
    let far = NOW + 1_000_000_000;
    let (folder, config) = process(&format!(
        "if [ $(wc -l < \"$(dirname \"$0\")/runs\") = 1 ]; then echo '{}'; else echo '{}'; fi",
        json("K1", far),
        json("K2", far)
    ));
    let sources = settings(&[("AWS_CONFIG_FILE", &config)]).expect("settings").sources;
    let client = server.client_with(|settings| settings.sources = sources);
    let get = |client: &Client| client.get_bytes(&Ask::latest("one-bucket", b"k"), 9).map(|(_, body)| body);
    assert_eq!(get(&client).expect("with the second key"), b"body");
    assert_eq!(get(&client).expect("with the second key"), b"body");
    let signers: Vec<Option<String>> = server.log().into_iter().map(|asked| asked.signer).collect();
    assert_eq!(signers, ["K1", "K2", "K2"].map(|id| Some(id.to_owned())));
    assert_eq!(runs(folder.path()), 2);
    // Given ones do not get better: two requests, and the error.
    server.expire("K3");
    let fixed = Source::Fixed(Credentials::new("K3", HUSH, None, None));
    let client = server.client_with(|settings| settings.sources = vec![fixed]);
    let error = get(&client).expect_err("expired");
    assert!(matches!(&error, Error::Other { code, .. } if code == "ExpiredToken"), "{error:?}");
    assert_eq!(server.log().len(), 2);
}

/// No debug text and no error has a secret in it, whatever went wrong.
#[test]
fn secrets_are_told_nowhere() {
    let server = Server::start();
    server.shelves(|shelves| shelves.put("one-bucket", b"k", b"body"));
    let who = Credentials::new("ID", HUSH, Some(HUSH), None);
    assert!(!format!("{who:?} {who:#?}").contains(HUSH));
    let fixed = vec![Source::Fixed(who)];
    let settings = Settings { sources: fixed, ..server.settings() };
    assert!(!format!("{settings:?}").contains(HUSH));
    let client = server.client_with(|changed| changed.sources.clone_from(&settings.sources));
    for fault in [
        Fault::None,
        Fault::Status(403, "SignatureDoesNotMatch", vec![]),
        Fault::Status(418, "X", vec![]),
        Fault::Raw(b"HTTP/1.1 301 Moved\r\nx-amz-bucket-region: \x7f/\r\ncontent-length: 0\r\n\r\n"),
    ] {
        server.plan(Rule::next(fault));
        let error = client.get_bytes(&Ask::latest("one-bucket", b"k"), 9).expect_err("an unknown key");
        assert!(!format!("{error} {error:?}").contains(HUSH), "{error:?}");
    }
}
