//! What people see of a mirror: keys as the bucket has them, and what proves the bodies.

use std::fs;

use highwater_tests::s3::Recipe;
use serde_json::Value;

use crate::scene::{BUCKET, Scene};

#[test]
fn keys_are_shown_as_the_bucket_has_them() {
    let scene = Scene::new();
    let long = "y".repeat(300);
    for key in ["plain", "a//b", "../up", "f", "f/x", &long] {
        scene.put(key, &format!("the body of {key}"));
    }
    scene.list(1);
    scene.sync(&[]).expect(0);
    scene.put("a//b", "another body");
    scene.delete("f");
    scene.list(2);
    scene.sync(&[]).expect(0);
    let of = |point: &str| format!("{}@{point}", scene.mirror().display());
    let run = scene.run(&["show", &of("2024-11-01")]);
    run.expect(0).prints("  plain\n").prints("  a//b  (lies at a/%hw/b)\n").prints("  ../up  (lies at %hw%2E%2E/up)\n");
    run.prints("  f  (lies at %hwff)\n").prints(&format!("  {long}  (lies at %hw#"));
    assert!(!scene.run(&["show", &of("2024-11-02")]).text().contains("lies at %hwff"));
    let run = scene.run(&["show", "--json", &of("2024-11-02")]);
    let document: Value = serde_json::from_slice(&run.expect(0).stdout).expect("JSON");
    let entries = document["entries"].as_array().expect("a list");
    let called = |path: &str| entries.iter().find(|entry| entry["path"] == path).map(|entry| entry["called"].clone());
    assert_eq!(called("a/%hw/b"), Some(Value::from("a//b")));
    assert_eq!(called("plain"), Some(Value::Null));
    // One key is asked for by its own name, or by where it lies.
    for within in ["a//b", "a/%hw/b"] {
        scene.run(&["show", &format!("{}/{within}", of("2024-11-01"))]).expect(0).prints("1 entry, 16 bytes");
    }
    let to = scene.folder.path().join("restored");
    scene.run(&["restore", &format!("{}/a//b", of("2024-11-01")), to.to_str().expect("text")]).expect(0);
    assert_eq!(fs::read_to_string(to.join("b")).expect("a file"), "the body of a//b");
    scene.run(&["show", &format!("{}/a//c", of("2024-11-01"))]).expect(2);
}

#[test]
fn one_key_is_restored_to_standard_output() {
    let scene = Scene::new();
    let long: String = (0..200_000).map(|number| format!("line {number}\n")).collect();
    for (key, body) in [("a//b", "a body"), ("long", &long), ("f/x", "x"), ("empty", "")] {
        scene.put(key, body);
    }
    scene.list(1);
    scene.sync(&[]).expect(0);
    scene.put("a//b", "another body");
    scene.list(2);
    scene.sync(&[]).expect(0);
    let of = |point: &str, key: &str| format!("{}@{point}/{key}", scene.mirror().display());
    for (point, key, body) in [
        ("2024-11-01", "a//b", "a body"),
        ("2024-11-02", "a//b", "another body"),
        ("2024-11-02", "long", &long),
        ("2024-11-02", "empty", ""),
    ] {
        let run = scene.run(&["restore", &of(point, key), "-"]);
        assert!(run.expect(0).stdout == body.as_bytes(), "{key} of {point}: {} bytes", run.stdout.len());
    }
    scene.run(&["restore", &of("2024-11-02", "f"), "-"]).expect(2).says("is a folder");
    let mirror = scene.mirror();
    scene.run(&["restore", mirror.to_str().expect("text"), "-"]).expect(2).says("takes one file");
    // What is damaged is never whole.
    let mut damaged = long.clone().into_bytes();
    let middle = damaged.len() / 2;
    damaged[middle] ^= 1;
    fs::write(mirror.join("long"), &damaged).expect("a file");
    let run = scene.run(&["restore", &of("2024-11-02", "long"), "-"]);
    assert!(run.code == 1 && run.stdout.len() < long.len(), "exit {}, {} bytes", run.code, run.stdout.len());
}

#[test]
fn verify_says_how_many_bodies_are_proven_by_what() {
    let scene = Scene::new();
    for number in 0..5 {
        scene.put(&format!("k/{number}"), &format!("body {number}"));
    }
    let body: Vec<u8> = (0..(5 << 20) + 4321).map(|number: u32| number.to_le_bytes()[0] ^ 0x5a).collect();
    scene.server.shelves(|shelves| shelves.put_parts(BUCKET, b"big", &body, 5 << 20));
    scene.server.shelves(|shelves| shelves.put_parts(BUCKET, b"odd", &body, 1_234_567));
    Recipe::default().publish(&scene.server);
    scene.sync(&[]).expect(0);
    scene.verify().expect(0).prints("  proven: 6 as S3 recorded, 1 as received\n");
    let mirror = scene.mirror();
    let mirror = mirror.to_str().expect("text");
    let proven = |more: &[&str]| {
        let report = scene.folder.path().join("report.json");
        let json = format!("--json={}", report.display());
        scene.run(&[&["verify", mirror, &json], more].concat());
        let text = fs::read_to_string(&report).expect("a report");
        let report: Value = serde_json::from_str(&text).expect("JSON");
        report["roots"][0]["proven"].clone()
    };
    let all = proven(&[]);
    assert_eq!((&all["as S3 recorded"], &all["as received"]), (&Value::from(6), &Value::from(1)));
    // Parts of it add up; without a look at bytes nothing is proven; nor is what is damaged.
    let parts: Vec<Value> = (1..4).map(|part| proven(&["--shard", &format!("{part}/3")])).collect();
    let sum: u64 = parts.iter().map(|part| part["as S3 recorded"].as_u64().unwrap_or(0)).sum();
    assert_eq!(sum, 6, "{parts:?}");
    assert_eq!(proven(&["--depth", "size"]), Value::Null);
    fs::write(scene.mirror().join("k/1"), "bodY 1").expect("written");
    assert_eq!(proven(&[])["as S3 recorded"], 5);
}
