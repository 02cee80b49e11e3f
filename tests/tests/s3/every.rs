//! The same suite against our own server, moto and SeaweedFS: every key that S3 can hold, versions, ranges, lists.

use std::collections::BTreeSet;

use highwater::s3::{Ask, Client, Error, Listing, Missing};
use highwater_tests::s3::keys::{KEYS, Lacks, MOTO, OURS, SEAWEEDFS, longest};
use highwater_tests::s3::others::Other;
use highwater_tests::s3::{Admin, Server};

struct Bench<'a> {
    client: &'a Client,
    admin: Admin,
    lacks: Lacks,
}

impl Bench<'_> {
    fn all(&self) {
        self.keys();
        self.versions();
        self.ranges();
        self.lists();
        self.absent();
    }

    /// Each key is put by a request that is not ours, read, looked at, and found in the list by its very bytes.
    fn keys(&self) {
        self.admin.bucket("every-key", false);
        let longest = longest();
        let keys: Vec<&[u8]> = KEYS.iter().copied().chain([longest.as_slice()]).collect();
        let mut wrong = Vec::new();
        let mut held = BTreeSet::new();
        for key in keys {
            let body = [b"body of ", key].concat();
            let result = self.admin.put("every-key", key, &body).and_then(|_| self.reads("every-key", key, &body));
            let excepted = self.lacks.held.iter().find(|(known, _)| *known == key);
            match (result, excepted) {
                (Ok(()), None) => drop(held.insert(key.to_vec())),
                (Err(_), Some(_)) => {}
                (Err(error), None) => wrong.push(format!("{:?}: {error}", String::from_utf8_lossy(key))),
                (Ok(()), Some((_, why))) => {
                    wrong.push(format!("{:?} works, and is an exception: {why}", String::from_utf8_lossy(key)));
                }
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        let listed = self.listed(&Listing::all("every-key", b""));
        let expected: BTreeSet<Vec<u8>> = self.lacks.listed.iter().map(|key| key.to_vec()).collect();
        let lacking: BTreeSet<Vec<u8>> = held.difference(&listed).cloned().collect();
        let shown = |keys: &BTreeSet<Vec<u8>>| -> Vec<String> {
            keys.iter().map(|key| String::from_utf8_lossy(key).into_owned()).collect()
        };
        assert_eq!(shown(&lacking), shown(&expected), "not in the list: {:?}", shown(&listed));
    }

    fn reads(&self, bucket: &str, key: &[u8], body: &[u8]) -> Result<(), String> {
        let ask = Ask::latest(bucket, key);
        let (head, found) = self.client.get_bytes(&ask, 1 << 20).map_err(|error| error.to_string())?;
        if found != body {
            return Err(format!("it reads as {:?}", String::from_utf8_lossy(&found)));
        }
        let looked = self.client.head(&ask).map_err(|error| error.to_string())?;
        if looked.etag != head.etag || looked.length != head.length {
            return Err(format!("{looked:?} and {head:?}"));
        }
        Ok(())
    }

    fn listed(&self, listing: &Listing<'_>) -> BTreeSet<Vec<u8>> {
        let pages: Result<Vec<_>, Error> = self.client.list(listing).collect();
        let pages = pages.unwrap_or_else(|error| panic!("{error}"));
        pages.into_iter().flat_map(|page| page.objects).map(|object| object.key).collect()
    }

    /// What was overwritten and deleted is there by its version; a marker has no bytes.
    fn versions(&self) {
        self.admin.bucket("all-versions", true);
        let key = "dir/ключ +%".as_bytes();
        let put = |body: &[u8]| self.admin.put("all-versions", key, body).expect("a version").expect("its id");
        let (first, second) = (put(b"one"), put(b"two, longer"));
        let (latest, body) = self.client.get_bytes(&Ask::latest("all-versions", key), 99).expect("the latest");
        assert_eq!((body.as_slice(), latest.version.as_deref()), (&b"two, longer"[..], Some(second.as_str())));
        let marker = self.admin.delete("all-versions", key).expect("a marker");
        for (version, expected) in [(&first, &b"one"[..]), (&second, b"two, longer")] {
            let ask = Ask::version("all-versions", key, version);
            let (head, body) = self.client.get_bytes(&ask, 99).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!((body.as_slice(), head.version.as_deref()), (expected, Some(version.as_str())));
            assert_eq!(self.client.head(&ask).expect("its head").etag, head.etag);
        }
        let gone = self.client.get_bytes(&Ask::latest("all-versions", key), 99);
        assert!(matches!(gone, Err(Error::NotFound { what: Missing::Key, .. })), "{gone:?}");
        let marked = self.client.get_bytes(&Ask::version("all-versions", key, &marker), 99);
        // AWS and our own server say that it is a marker; moto and SeaweedFS do not know it.
        assert!(matches!(marked, Err(Error::NotFound { .. })), "{marked:?}");
    }

    /// Parts by range, and only of the version that was meant.
    fn ranges(&self) {
        self.admin.bucket("some-ranges", false);
        let body: Vec<u8> = (0..100_000u32).flat_map(|number| number.to_le_bytes()).collect();
        self.admin.put("some-ranges", b"k", &body).expect("an object");
        let whole = Ask::latest("some-ranges", b"k");
        let (head, found) = self.client.get_bytes(&whole, 1 << 20).expect("all of it");
        assert!(found == body && head.length == 400_000 && head.range == (0..400_000));
        for (range, expected) in
            [(0..1, 0..1), (399_999..400_000, 399_999..400_000), (7..300_007, 7..300_007), (9..u64::MAX, 9..400_000)]
        {
            let ask = Ask { range: Some(range), ..whole.clone() };
            let (head, found) = self.client.get_bytes(&ask, 1 << 20).unwrap_or_else(|error| panic!("{error}"));
            let inside = usize::try_from(expected.start).expect("small")..usize::try_from(expected.end).expect("small");
            assert!(found == body[inside] && head.range == expected && head.length == 400_000, "{head:?}");
        }
        let etag = head.etag.expect("an ETag");
        let matching = Ask { if_match: Some(&etag), ..whole.clone() };
        assert_eq!(self.client.get_bytes(&matching, 1 << 20).expect("the same").1.len(), 400_000);
        let other = Ask { if_match: Some("00000000000000000000000000000000"), ..whole.clone() };
        let changed = self.client.get_bytes(&other, 1 << 20);
        assert!(matches!(changed, Err(Error::Changed { .. })), "{changed:?}");
        let beyond = self.client.get_bytes(&Ask { range: Some(400_000..400_001), ..whole.clone() }, 9);
        assert!(matches!(beyond, Err(Error::Other { status: 416, .. })), "{beyond:?}");
        let refused = self.client.get_bytes(&whole, 399_999);
        assert!(matches!(refused, Err(Error::Sink { .. })), "{refused:?}");
        self.admin.put("some-ranges", b"empty", b"").expect("an object");
        let (head, found) = self.client.get_bytes(&Ask::latest("some-ranges", b"empty"), 0).expect("nothing");
        assert!(found.is_empty() && head.length == 0);
    }

    /// Pages, folders, prefixes, and where a list begins.
    fn lists(&self) {
        self.admin.bucket("long-lists", false);
        let mut keys = BTreeSet::new();
        for number in 0..25 {
            for key in [format!("in {number:02}+é/x"), format!("top{number:02}")] {
                self.admin.put("long-lists", key.as_bytes(), b"1").expect("an object");
                keys.insert(key.into_bytes());
            }
        }
        for page in [1, 7, 1_000] {
            let listing = Listing { page: Some(page), ..Listing::all("long-lists", b"") };
            assert_eq!(self.listed(&listing), keys, "pages of {page}");
        }
        let pages: Vec<_> = self
            .client
            .list(&Listing { page: Some(10), ..Listing::folder("long-lists", b"") })
            .map(|page| page.expect("a page"))
            .collect();
        let folders: BTreeSet<Vec<u8>> = pages.iter().flat_map(|page| page.folders.clone()).collect();
        let objects: Vec<&[u8]> = pages.iter().flat_map(|page| &page.objects).map(|object| &*object.key).collect();
        assert_eq!(folders, (0..25).map(|number| format!("in {number:02}+é/").into_bytes()).collect());
        assert_eq!(objects.len(), 25);
        let inside = self.listed(&Listing::folder("long-lists", "in 03+é/".as_bytes()));
        assert_eq!(inside, BTreeSet::from(["in 03+é/x".as_bytes().to_vec()]));
        let behind = self.listed(&Listing { after: Some(b"top20"), ..Listing::all("long-lists", b"top") });
        assert_eq!(behind.len(), 4);
        assert!(self.listed(&Listing::all("long-lists", b"none")).is_empty());
    }

    /// What is not there is told apart.
    fn absent(&self) {
        self.admin.bucket("not-there", true);
        self.admin.put("not-there", b"k", b"1").expect("an object");
        let key = self.client.get_bytes(&Ask::latest("not-there", b"none"), 9);
        assert!(matches!(key, Err(Error::NotFound { what: Missing::Key, .. })), "{key:?}");
        let bucket = self.client.get_bytes(&Ask::latest("no-such-bucket", b"none"), 9);
        assert!(matches!(bucket, Err(Error::NotFound { what: Missing::Bucket, .. })), "{bucket:?}");
        let listed = self.client.list(&Listing::all("no-such-bucket", b"")).next().expect("an answer");
        assert!(matches!(listed, Err(Error::NotFound { what: Missing::Bucket, .. })), "{listed:?}");
        let head = self.client.head(&Ask::latest("not-there", b"none"));
        assert!(matches!(head, Err(Error::NotFound { what: Missing::Key, .. })), "{head:?}");
    }
}

#[test]
fn our_own_server() {
    let server = Server::start();
    Bench { client: &server.client(), admin: server.admin(), lacks: OURS }.all();
}

#[test]
fn moto() {
    let other = Other::moto();
    Bench { client: &other.client(), admin: other.admin(), lacks: MOTO }.all();
}

#[test]
fn seaweedfs() {
    let other = Other::seaweedfs();
    Bench { client: &other.client(), admin: other.admin(), lacks: SEAWEEDFS }.all();
}
