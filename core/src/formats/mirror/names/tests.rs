//! Names of objects: none leaves the mirror, no two are one, and each tells what it is of.

use std::collections::HashMap;

use super::*;
use crate::formats::mirror::escape::LONGEST as LONGEST_SEGMENT;
use crate::name::printable;

fn text(name: Option<Name>) -> String {
    String::from_utf8_lossy(name.unwrap().as_bytes()).into_owned()
}

#[test]
fn objects_lie_where_their_keys_say() {
    let key = b"zarr/73107a2a/1/0/76";
    let (version, etag) = (b"J_lZKtM.5fliCCeIGTmufk3R9lc_FmZg", b"fbebe2d44529d0a25247e8b5bca5956b");
    assert_eq!(text(latest(key, false)), "zarr/73107a2a/1/0/76");
    assert_eq!(text(latest(key, true)), "zarr/73107a2a/1/0/%hwf76");
    let old_name = "zarr/73107a2a/1/0/76.old.J_lZKtM.5fliCCeIGTmufk3R9lc_FmZg.fbebe2d44529d0a25247e8b5bca5956b";
    assert_eq!(text(old(key, version, etag)), old_name);
    let place = read(&Name::new(old_name.as_bytes()).unwrap()).unwrap();
    assert_eq!(place.key.as_deref(), Some(&key[..]));
    assert_eq!(place.old, Some(Old { version: Some(version.to_vec()), etag: Some(etag.to_vec()) }));
    for (key, path) in [
        ("a//b", "a/%hw/b"),
        ("a/", "a/%hw"),
        ("/a", "%hw/a"),
        ("../../etc", "%hw%2E%2E/%hw%2E%2E/etc"),
        (".highwater-mirror/applied", "%hw%2Ehighwater-mirror/applied"),
    ] {
        assert_eq!(text(latest(key.as_bytes(), false)), path);
    }
}

#[test]
fn a_name_of_180_bytes_has_room_for_its_older_versions() {
    let (version, etag) = ([b'v'; 32], "0123456789abcdef0123456789abcdef-9999");
    for length in [1, 100, LONGEST_SEGMENT, LONGEST_SEGMENT + 1, 255, 1024] {
        let key = vec![b'x'; length];
        for etag in [&etag[..32], etag, &format!("{etag}9")] {
            let name = old(&key, &version, etag.as_bytes()).unwrap();
            assert!(name.last().len() <= LONGEST_NAME, "{name}");
            let is_hashed = length > LONGEST_SEGMENT || length + 38 + etag.len() > LONGEST_NAME;
            assert_eq!(name.as_bytes().starts_with(b"%hw#"), is_hashed, "{name}");
        }
    }
}

/// Every key, version and ETag of these pieces, and none of their places twice.
#[test]
fn no_two_versions_have_one_place_and_each_place_is_read_back() {
    let segments: [&[u8]; 20] = [
        b"a",
        b"",
        b".",
        b"..",
        b"a.old",
        b"a.old.x",
        b".old.v.e",
        b"a.old.v.e",
        b"old",
        b"%hw",
        b"%hwf",
        b"%hwfa",
        b"%hw#",
        b"%hw%61",
        b".highwater-mirror",
        b"x.highwater-tmp",
        b"a\0",
        b"\xff\n",
        &[b'l'; 180],
        &[b'l'; 181],
    ];
    let mut keys: Vec<Vec<u8>> = segments.iter().map(|one| one.to_vec()).filter(|one| !one.is_empty()).collect();
    for one in segments {
        keys.extend(segments.iter().map(|other| [one, b"/", other].concat()));
    }
    keys.extend([vec![b'/'; 1024], vec![b'/'; 1023], b"./".repeat(512)]);
    let versions: [&[u8]; 9] = [
        b"null",
        b"v",
        b"x.old",
        b"old.b",
        b"x.old.v",
        b".old.",
        b"a/b",
        &[b'v'; 65],
        b"J_lZKtM.5fliCCeIGTmufk3R9lc_FmZg",
    ];
    let etags: [&[u8]; 6] = [b"e", b"", b"e.e", b"a/../b", &[b'e'; 65], b"0123456789abcdef0123456789abcdef-10000"];
    let mut places: HashMap<Name, (Vec<u8>, usize)> = HashMap::new();
    let mut put = |name: Option<Name>, key: &[u8], which: usize| {
        let name = name.unwrap_or_else(|| panic!("no name for {}", printable(key)));
        assert!(name.as_bytes().split(|byte| *byte == b'/').all(|part| part.len() <= LONGEST_NAME));
        assert!(!name.as_bytes().starts_with(FOLDER.as_bytes()) && name.as_bytes().len() < 3500);
        let place = read(&name).unwrap_or_else(|| panic!("{name} is read as nothing"));
        assert!(place.key.as_ref().is_none_or(|read| read == key), "{name}: {place:?}");
        match which {
            0 | 1 => assert_eq!((place.aside, &place.old), (which == 1, &None), "{name}"),
            which => {
                let (version, etag) = (versions[(which - 2) / etags.len()], etags[(which - 2) % etags.len()]);
                let Old { version: found, etag: other } = place.old.unwrap();
                assert!(
                    found.is_none_or(|found| found == version) && other.is_none_or(|other| other == etag),
                    "{name}"
                );
            }
        }
        let before = places.insert(name.clone(), (key.to_vec(), which));
        assert_eq!(before, None, "{name}: {} {which}", printable(key));
    };
    for key in &keys {
        put(latest(key, false), key, 0);
        put(latest(key, true), key, 1);
        for (one, version) in versions.iter().enumerate() {
            for (other, etag) in etags.iter().enumerate() {
                put(old(key, version, etag), key, 2 + one * etags.len() + other);
            }
        }
    }
    assert!(places.len() > 20_000);
}

#[test]
fn no_file_is_where_another_key_has_a_folder() {
    // A file aside, and an older version, have names that no segment has.
    for name in ["%hwfa", "a.old.v.e", "%hw%61", "%hw#12"] {
        let folder = text(latest(format!("{name}/x").as_bytes(), false));
        assert!(!folder.starts_with(&format!("{name}/")), "{folder}");
    }
}

#[test]
fn a_restore_takes_names_that_are_too_long_only_for_older_versions() {
    for length in 1..300_usize {
        for folder in ["", "in/"] {
            let key = [folder.as_bytes(), &vec![b'x'; length]].concat();
            let name = restored(&key, false).unwrap();
            assert_eq!(name.as_bytes() == key, length <= LONGEST_NAME, "{length}");
            let aside = restored(&key, true).unwrap();
            assert!(name.last().len() <= LONGEST_NAME && aside.last().len() <= LONGEST_NAME);
            assert!(aside.last().starts_with(ASIDE) && aside != name);
            let within = restored(&[&key, &b"/x"[..]].concat(), false).unwrap();
            assert_eq!(within.folder().unwrap(), name);
        }
    }
    // What is escaped is called as in the mirror.
    for key in ["a//b", ".", "%hw", ".highwater-mirror/applied", "x.old.v.e", "nul\0"] {
        assert_eq!(restored(key.as_bytes(), false), latest(key.as_bytes(), false), "{key}");
    }
}

#[test]
fn another_programs_mirror_has_names_of_any_length_and_no_escapes() {
    for (length, version) in (1..300_usize).flat_map(|length| [(length, false), (length, true)]) {
        let key = vec![b'x'; length];
        let old = version.then_some((&b"null"[..], &b"0123456789abcdef0123456789abcdef"[..]));
        let most = if version { LONGEST_NAME - 42 } else { LONGEST_NAME };
        assert_eq!(before(&key, old).is_some(), length <= most, "{length}");
        let ours = if let Some((version, etag)) = old { super::old(&key, version, etag) } else { latest(&key, false) };
        assert_eq!(before(&key, old) == ours, length <= LONGEST_SEGMENT, "{length}");
    }
    for key in ["a//b", "..", "%hwfa", ".highwater-mirror/lock", ".s3invsync.state.json", "x.old.v.e"] {
        assert_eq!(before(key.as_bytes(), None), None, "{key}");
    }
    assert_eq!(before(b"k", Some((b"v/../v", b"e"))), None);
}

#[test]
fn what_is_no_object_is_read_as_none() {
    for name in [APPLIED, LOCK, "a/.s3invsync.versions.json", "a/%hwx", "a.highwater-tmp", "a.old.v.%41", "a.old.%76.e"]
    {
        assert_eq!(read(&Name::new(name.as_bytes()).unwrap()), None, "{name}");
    }
}
