//! Inventories of a configuration: found, chosen by their dates, and proven by their checksums.

use highwater::error::{Class, Error};
use highwater::mirror::inventories::Inventories;
use highwater::s3::credentials::{Credentials, Source};
use highwater_tests::s3::{Fault, Published, Recipe, Rule, Server};

/// A server whose bucket was listed at these dates.
fn listed(dates: &[&'static str]) -> (Server, Published) {
    let server = Server::start();
    server.shelves(|shelves| drop(shelves.put("archive", b"k", b"1")));
    let all: Vec<_> = dates.iter().map(|date| Recipe { date, ..Recipe::default() }.publish(&server)).collect();
    (server, all[0].clone())
}

fn refused<T: std::fmt::Debug>(result: Result<T, Error>, class: Class, words: &[&str]) {
    let error = result.expect_err("a refusal");
    let text = error.to_string();
    assert!(error.class() == class && words.iter().all(|word| text.contains(word)), "{:?}: {text}", error.class());
}

#[test]
fn dates_are_the_dated_folders_and_nothing_else() {
    let days = ["2024-11-05T01-00Z", "2024-11-06T01-00Z", "2024-11-06T13-00Z", "2024-12-01T01-00Z"];
    let (server, published) = listed(&days);
    server.shelves(|shelves| {
        for other in ["2024-11-07/x", "2024-13-01T01-00Z/manifest.json", "2024-11-09T01-00Z", "\u{44f}/x", "hive/x"] {
            shelves.put("inventories", format!("of/archive/daily/{other}").as_bytes(), b"");
        }
    });
    let client = server.client();
    let inventories = Inventories::at(&published.url, &client).expect("a URL");
    assert_eq!(inventories.dates().expect("dates"), days);
    // The slash at the end may be left out, as may the one behind a bucket.
    let open = Inventories::at("s3://inventories/of/archive/daily", &client).expect("a URL");
    assert_eq!(open.dates().expect("dates"), days);
    assert_eq!(Inventories::at("s3://inventories", &client).expect("a URL").dates().expect("none"), [""; 0]);
}

#[test]
fn dates_come_over_as_many_pages_as_there_are() {
    let server = Server::start();
    let mut dates = Vec::new();
    server.shelves(|shelves| {
        for number in 0..1_100 {
            let date = format!("20{:02}-{:02}-{:02}T01-00Z", number / 336, number / 28 % 12 + 1, number % 28 + 1);
            shelves.put("inventories", format!("p/{date}/manifest.json").as_bytes(), b"");
            dates.push(date);
        }
    });
    let client = server.client();
    let inventories = Inventories::at("s3://inventories/p/", &client).expect("a URL");
    assert!(inventories.dates().expect("dates") == dates);
    assert!(server.log().len() > 1, "one page");
    assert_eq!(inventories.choose(None, None, None).expect("the newest"), [dates[1_099].clone()]);
}

#[test]
fn the_newest_the_last_of_a_day_one_by_its_name_or_all_between_are_chosen() {
    let days = ["2024-11-05T01-00Z", "2024-11-06T01-00Z", "2024-11-06T13-00Z", "2024-12-01T01-00Z"];
    let (server, published) = listed(&days);
    let client = server.client();
    let inventories = Inventories::at(&published.url, &client).expect("a URL");
    for (asked, start, end, chosen) in [
        (None, None, None, &days[3..]),
        (Some("2024-11-06"), None, None, &days[2..3]),
        (Some("2024-11-06T01-00Z"), None, None, &days[1..2]),
        (None, Some("2024-11-06"), None, &days[1..]),
        (None, None, Some("2024-11-06"), &days[..3]),
        (None, Some("2024-11-06"), Some("2024-11-06"), &days[1..3]),
        (None, Some("2024-11-06T02-00Z"), Some("2024-11-06"), &days[2..3]),
        (None, Some("2024-11-05T01-00Z"), Some("2024-11-06T01-00Z"), &days[..2]),
    ] {
        assert_eq!(inventories.choose(asked, start, end).expect("dates"), chosen, "{asked:?} {start:?} {end:?}");
    }
    let none = [(Some("2024-11-07"), None, None), (None, Some("2024-12-02"), None), (None, None, Some("2024-11-04"))];
    for (asked, start, end) in none {
        let words = ["no inventory of then, but 4, from 2024-11-05T01-00Z to 2024-12-01T01-00Z", "--list-dates"];
        refused(inventories.choose(asked, start, end), Class::CannotStart, &words);
    }
    for (asked, start, end, word) in [
        (Some("yesterday"), None, None, "'yesterday' is no date"),
        (Some("2024-11"), None, None, "is no date"),
        (Some("2024-11-31"), None, None, "is no date"),
        (None, Some("2024-11-06"), Some("2024-11-05"), "lies behind the end"),
        (Some("2024-11-06"), Some("2024-11-06"), None, "--date chooses one"),
    ] {
        refused(inventories.choose(asked, start, end), Class::Usage, &[word]);
    }
}

#[test]
fn where_nothing_is_it_is_said_what_to_name() {
    let (server, _) = listed(&["2024-11-05T01-00Z"]);
    let client = server.client();
    let at = |url| Inventories::at(url, &client).expect("a URL");
    let empty = at("s3://inventories/elsewhere/").choose(None, None, None);
    refused(empty, Class::CannotStart, &["s3://inventories/elsewhere/ holds no inventory", "name the folder"]);
    refused(at("s3://none/p/").dates(), Class::CannotStart, &["s3://none/p/", "no such bucket"]);
    let words = ["2024-11-06T01-00Z/manifest.checksum", "no inventory of 2024-11-06T01-00Z", "--list-dates"];
    refused(at("s3://inventories/of/archive/daily/").manifest("2024-11-06T01-00Z"), Class::CannotStart, &words);
}

#[test]
fn a_manifest_is_proven_by_its_checksum() {
    let (server, published) = listed(&["2024-11-05T01-00Z"]);
    let client = server.client();
    let inventories = Inventories::at(&published.url, &client).expect("a URL");
    let inventory = inventories.manifest("2024-11-05T01-00Z").expect("a manifest");
    assert_eq!((&*inventory.manifest.source, &*inventory.date), ("archive", "2024-11-05T01-00Z"));
    assert!(inventory.schema.is_versioned() && inventory.elsewhere().is_none());
    assert_eq!(inventory.manifest.files[0].key, published.lists[0]);
    // S3 may be writing both anew: they are asked for once more.
    server.plan(Rule::next(Fault::Flip(9)).to("manifest.json"));
    assert_eq!(inventories.manifest("2024-11-05T01-00Z").expect("a manifest"), inventory);
    for (checksum, words) in [
        ("d41d8cd98f00b204e9800998ecf8427e\n", "manifest.checksum says d41d8cd98f00b204e9800998ecf8427e"),
        ("", "should be the 32 digits of an MD5"),
        ("<html>not found</html>", "should be the 32 digits of an MD5"),
    ] {
        Recipe { checksum: Some(checksum), date: "2024-11-07T01-00Z", ..Recipe::default() }.publish(&server);
        let folder = "s3://inventories/of/archive/daily/2024-11-07T01-00Z/";
        refused(inventories.manifest("2024-11-07T01-00Z"), Class::CannotStart, &[folder, words, "older inventory"]);
    }
}

#[test]
fn lists_of_other_kinds_and_columns_that_are_too_few_are_refused_with_what_helps() {
    let (server, published) = listed(&["2024-11-05T01-00Z"]);
    let client = server.client();
    let inventories = Inventories::at(&published.url, &client).expect("a URL");
    for (format, columns, words) in [
        ("Parquet", "Bucket, Key, Size, LastModifiedDate", ["no column ETag", "add it to the fields"]),
        ("ORC", "struct<bucket:string,key:string>", ["as ORC", "output format of the inventory to CSV, or to Parquet"]),
        ("CSV", "Bucket, Key, Size, LastModifiedDate", ["no column ETag", "add it to the fields"]),
    ] {
        Recipe { format, columns, date: "2024-11-07T01-00Z", ..Recipe::default() }.publish(&server);
        refused(inventories.manifest("2024-11-07T01-00Z"), Class::CannotStart, &words);
    }
}

/// The bucket of inventories lies in another region, and another account may read it than the bucket that it lists.
#[test]
fn the_bucket_of_inventories_has_a_client_of_its_own() {
    let (server, published) = listed(&["2024-11-05T01-00Z"]);
    server.shelves(|shelves| "us-west-2".clone_into(&mut shelves.bucket("inventories").region));
    server.know("AKIDOTHER", "another secret", None);
    let other = server.client_with(|settings| {
        settings.sources = vec![Source::Fixed(Credentials::new("AKIDOTHER", "another secret", None, None))];
    });
    let inventories = Inventories::at(&published.url, &other).expect("a URL");
    let dates = inventories.choose(None, None, None).expect("a date");
    inventories.manifest(&dates[0]).expect("a manifest");
    assert!(server.log().iter().all(|asked| asked.signer.as_deref() == Some("AKIDOTHER")));
}

#[test]
fn a_manifest_that_names_another_bucket_is_told_of() {
    let (server, _) = listed(&["2024-11-05T01-00Z"]);
    let published = Recipe { said: Some("original"), ..Recipe::default() }.publish(&server);
    let client = server.client();
    let inventory = Inventories::at(&published.url, &client).expect("a URL").manifest("2024-11-06T01-00Z");
    let told = inventory.expect("a manifest").elsewhere().expect("a sentence");
    assert!(told.contains("names the bucket 'original'") && told.contains("read from 'inventories'"), "{told}");
}
