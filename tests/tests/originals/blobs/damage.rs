//! Sources and sets of ZODB with blobs that lack something.

use std::fs;
use std::path::Path;

use serde_json::json;

use super::Site;

/// Three points: of one `Data.fs`, of one that grew, and of one that was packed.
#[track_caller]
fn three() -> (Site, Vec<String>) {
    let mut site = Site::new(json!({ "keep_old": false }));
    site.back_up().expect(0);
    site.commit(4);
    site.back_up().expect(0);
    site.ask("pack", json!({}));
    site.back_up().expect(0);
    assert_eq!((site.kept("fs").len(), site.kept("deltafs").len()), (2, 1));
    let points = site.points();
    (site, points)
}

/// Flips the bytes in the middle of a file.
#[track_caller]
fn spoil(file: &Path) {
    let mut bytes = fs::read(file).expect("a file");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0xff;
    fs::write(file, bytes).expect("a file");
}

#[test]
fn a_blob_that_is_lost_is_named_and_the_point_says_so() {
    let mut site = Site::plone(11);
    let lost = site.blobs().pop().expect("a blob");
    fs::remove_file(&lost).expect("it goes");
    let path = lost.strip_prefix(site.path("var")).expect("below").display().to_string();
    let tid = lost.file_stem().expect("a name").to_str().expect("text").to_owned();
    let run = site.back_up();
    run.expect(3).says(&format!("left out: '{path}' is not there, the blob of object 0x"));
    run.says(&format!("that transaction {tid} wrote, and 'filestorage/Data.fs' names it: the source is damaged"));
    let points = site.points();
    assert!(site.list(&points[0]).contains(&format!("# left out: '{path}'")), "the list says it, too");
    site.ours(&["verify", ":set"]).expect(0);
    site.ours(&["restore", ":set", ":out"]).expect(0);
    let details = json!({ "folder": site.path("out"), "notebook": site.path("notes") });
    let judged = site.bench.ask("blobs_judge", details).to_string();
    assert!(judged.contains("No blob file"), "{judged}");
}

#[test]
fn a_data_fs_that_contradicts_itself_is_refused() {
    let mut site = Site::plone(12);
    site.ask("close", json!({}));
    let data = site.path("var").join("filestorage/Data.fs");
    let mut bytes = fs::read(&data).expect("a file");
    // The length of the first transaction.
    bytes[4 + 15] ^= 1;
    fs::write(&data, bytes).expect("a file");
    let run = site.back_up();
    assert_ne!(run.code, 0);
    assert_eq!(site.points(), Vec::<String>::new());
}

#[test]
fn damage_in_what_is_kept_of_data_fs_hurts_the_points_that_need_it() {
    type Harm = fn(&Site);
    let harms: [(&str, Harm, [bool; 3]); 6] = [
        (
            "the first full backup is gone",
            |site| fs::remove_file(&site.kept("fs")[0]).expect("gone"),
            [true, true, false],
        ),
        ("it has other bytes", |site| spoil(&site.kept("fs")[0]), [true, true, false]),
        (
            "the increment is gone",
            |site| fs::remove_file(&site.kept("deltafs")[0]).expect("gone"),
            [false, true, false],
        ),
        ("the increment has other bytes", |site| spoil(&site.kept("deltafs")[0]), [false, true, false]),
        ("the second index is gone", |site| fs::remove_file(&site.kept("dat")[1]).expect("gone"), [false, false, true]),
        ("all is gone", |site| fs::remove_dir_all(site.path("set").join("repozo")).expect("gone"), [true, true, true]),
    ];
    for (what, harm, hurts) in harms {
        let (mut site, points) = three();
        site.ours(&["verify", ":set"]).expect(0);
        harm(&site);
        let run = site.ours(&["verify", ":set"]);
        run.expect(1);
        let told = String::from_utf8_lossy(&run.stdout).into_owned();
        for (point, is_hurt) in points.iter().zip(hurts) {
            let is_told =
                told.lines().any(|line| line.trim_start().starts_with("damaged ") && line.contains(point.as_str()));
            assert_eq!(is_told, is_hurt, "{what}, {point}: {told}");
            let from = format!(":set@{point}");
            let restored = site.ours(&["restore", &from, &format!(":{point}")]);
            assert_eq!(restored.code != 0, is_hurt, "{what}, {point}: {}", restored.stderr);
            if is_hurt {
                assert!(!site.path(point).exists(), "{what}, {point}: something is there");
                continue;
            }
            site.expect_opens(point, point);
        }
        // The next backup keeps what the set lost.
        if what == "all is gone" {
            site.back_up().expect(0);
            let newest = site.points().pop().expect("a point");
            site.expect_good(&newest, "out");
        }
    }
}

#[test]
fn a_list_that_names_another_state_than_there_is_is_damaged() {
    let (mut site, points) = three();
    let list = site.path("set").join("points").join(format!("{}.mtree", points[1]));
    let text = fs::read_to_string(&list).expect("a list");
    let stamp = site.kept("deltafs")[0].file_stem().expect("a name").to_str().expect("text").to_owned();
    let earlier = site.kept("fs")[0].file_stem().expect("a name").to_str().expect("text").to_owned();
    let (body, _) = text
        .replace(&stamp, &earlier)
        .rsplit_once("# end ")
        .map(|(body, end)| (body.to_owned(), end.len()))
        .expect("sealed");
    let mut body = body;
    highwater_core::mtree::seal(&mut body);
    fs::write(&list, body).expect("a list");
    let run = site.ours(&["verify", ":set"]);
    run.expect(1);
    let told = String::from_utf8_lossy(&run.stdout).into_owned();
    assert!(told.contains("is to have") && told.contains("HW111"), "{told}");
    let from = format!(":set@{}", points[1]);
    assert_ne!(site.ours(&["restore", &from, ":out"]).code, 0);
}
