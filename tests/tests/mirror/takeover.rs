//! A mirror that s3invsync made is taken over: by its layout, no body is fetched again, and what is its own stays.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use highwater_tests::s3::Version;
use serde_json::{Map, json};

use crate::scene::{BUCKET, Scene, Tree};

/// What s3invsync leaves beside objects, by path.
const OWN: [&str; 4] = [
    ".s3invsync.state.json",
    ".s3invsync.versions.json",
    "a/.s3invsync.download.0a1b2c",
    "in/.s3invsync.versions.json",
];

/// Keys with versions of all kinds, as far as s3invsync takes them.
fn fill(scene: &Scene) {
    scene.server.shelves(|shelves| {
        shelves.bucket(BUCKET).versioned = false;
        shelves.put(BUCKET, b"a/null", b"of before versions");
        shelves.put(BUCKET, b"a/null, and later ones", b"of before versions, too");
        shelves.bucket(BUCKET).versioned = true;
        let body = vec![7; 100_000];
        shelves.put_parts(BUCKET, b"a/parts", &body, 5 << 20);
        shelves.put_parts(BUCKET, b"a/odd parts", &body, 12_345);
    });
    for number in 0..20 {
        scene.put(&format!("a/{number}"), &format!("one of {number}"));
        if number % 3 == 0 {
            scene.put(&format!("a/{number}"), &format!("two of {number}"));
        }
        if number % 5 == 0 {
            scene.delete(&format!("a/{number}"));
        }
    }
    scene.put("a/null, and later ones", "another");
    for key in ["100%", "x=y\"z", "\u{43a}\u{43b}\u{44e}\u{447}", "a+b", "top"] {
        scene.put(key, key);
    }
    // It has no room for older versions of longer names.
    for length in 170..=255 {
        let key = format!("in/{}", "n".repeat(length));
        if length <= 184 {
            scene.put(&key, "older");
        }
        scene.put(&key, &format!("of {length}"));
    }
}

/// Writes a file with its time.
fn write(path: &Path, bytes: &[u8], modified: i64) {
    fs::create_dir_all(path.parent().expect("a folder")).expect("folders");
    fs::write(path, bytes).expect("a file");
    let time = UNIX_EPOCH + Duration::from_secs(modified.unsigned_abs());
    File::options().write(true).open(path).and_then(|file| file.set_modified(time)).expect("a time");
}

/// Makes what s3invsync 0.2.0 makes of the bucket; gives its own files.
fn mirror(scene: &Scene) -> BTreeMap<PathBuf, Vec<u8>> {
    let top = scene.mirror();
    let mut folders: BTreeMap<PathBuf, Map<String, serde_json::Value>> = BTreeMap::new();
    let keys: Vec<(Vec<u8>, Vec<Version>)> =
        scene.server.shelves(|shelves| shelves.bucket(BUCKET).keys.clone().into_iter().collect());
    for (key, versions) in keys {
        let key = String::from_utf8(key).expect("text");
        let path = top.join(&key);
        for (age, version) in versions.iter().rev().enumerate() {
            let Some(body) = &version.body else { continue };
            if age > 0 {
                let old = format!("{}.old.{}.{}", path.display(), version.id, version.etag);
                write(Path::new(&old), body, version.modified);
                continue;
            }
            write(&path, body, version.modified);
            let name = path.file_name().expect("a name").to_str().expect("text").to_owned();
            let id = Some(version.id.as_str()).filter(|id| *id != "null");
            let entries = folders.entry(path.parent().expect("a folder").to_owned()).or_default();
            entries.insert(name, json!({ "version_id": id, "etag": version.etag }));
        }
    }
    let mut own = BTreeMap::new();
    for (folder, entries) in folders {
        let text = format!("{:#}\n", serde_json::Value::Object(entries));
        own.insert(folder.join(".s3invsync.versions.json"), text.into_bytes());
    }
    let state = json!({
        "last_backup_started": "2024-10-31T01:00:00Z", "last_successful_backup_finished": "2024-10-31T02:00:00Z",
    });
    own.insert(top.join(".s3invsync.state.json"), format!("{state:#}\n").into_bytes());
    own.insert(top.join("a/.s3invsync.download.0a1b2c"), b"a part of a bo".to_vec());
    own.iter().for_each(|(path, bytes)| fs::write(path, bytes).expect("a file"));
    own
}

/// The tree without what is s3invsync's own.
fn objects(scene: &Scene) -> Tree {
    let is_own = |path: &Path| path.file_name().is_some_and(|name| name.as_bytes().starts_with(b".s3invsync"));
    scene.tree().into_iter().filter(|(path, _)| !is_own(path)).collect()
}

#[test]
fn no_body_is_fetched_again_and_its_own_files_stay() {
    let scene = Scene::new();
    fill(&scene);
    let own = mirror(&scene);
    assert!(OWN.iter().all(|path| scene.mirror().join(path).exists()));
    scene.list(1);
    let before = objects(&scene);
    let sync = scene.sync(&[]);
    sync.expect(0).prints("0 versions fetched").prints(&format!("{} there already", before.len()));
    sync.says("that s3invsync made").says("do not run s3invsync here again");
    let asked = scene.server.log().iter().filter(|asked| asked.target.contains("versionId")).count();
    assert_eq!(asked, 0, "bodies were asked for");
    for (path, bytes) in &own {
        assert_eq!(&fs::read(path).expect("it is there"), bytes, "{}", path.display());
    }
    // The same files; those of longer names are called otherwise.
    let after = objects(&scene);
    assert_eq!(after.len(), before.len());
    let is_long = |path: &Path| {
        let name = path.file_name().expect("a name").as_bytes();
        name.windows(5).position(|some| some == b".old.").unwrap_or(name.len()) > 180
    };
    for (path, file) in before.iter().filter(|(path, _)| !is_long(path)) {
        assert_eq!(after.get(path), Some(file), "{}", path.display());
    }
    assert!(!after.keys().any(|path| is_long(path)));
    assert!(!scene.mirror().join(".highwater-mirror/found/0").exists());
    scene.verify().expect(0);
    // From then on it is ours.
    scene.put("top", "another");
    scene.list(2);
    scene.sync(&[]).expect(0).never_says("s3invsync").prints("1 versions fetched");
    let of = format!("{}@2024-11-01", scene.mirror().to_str().expect("text"));
    let to = scene.folder.path().join("restored");
    scene.run(&["restore", &of, to.to_str().expect("text")]).expect(0);
    let restored = crate::scene::tree(&to);
    assert_eq!(restored.get(Path::new(&format!("in/{}", "n".repeat(255)))).map(|file| &*file.0), Some(&b"of 255"[..]));
    assert!(!restored.keys().any(|path| path.to_string_lossy().contains(".s3invsync")));
    scene.verify().expect(0);
}

#[test]
fn a_file_of_it_that_is_wrong_is_fetched_and_kept_aside() {
    let scene = Scene::new();
    fill(&scene);
    mirror(&scene);
    scene.list(1);
    let whole = objects(&scene);
    let (flipped, cut) = (scene.mirror().join("a/1"), scene.mirror().join("a/2"));
    fs::write(&flipped, "One of 1").expect("a file");
    fs::write(&cut, "one").expect("a file");
    scene.sync(&[]).expect(0).prints("2 versions fetched").says(".highwater-mirror/found/");
    for path in ["a/1", "a/2"] {
        assert_eq!(objects(&scene).get(Path::new(path)), whole.get(Path::new(path)), "{path}");
    }
    let found: Vec<_> = fs::read_dir(scene.mirror().join(".highwater-mirror/found")).expect("a folder").collect();
    assert_eq!(found.len(), 2);
    scene.verify().expect(0);
}
