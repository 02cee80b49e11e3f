//! Points of a ZODB with blobs, restored by hand: `sed`, `bsdtar`, `tar`, Python's own `repozo`, and `mtree` at last.

use std::fs;
use std::path::Path;
use std::process::Command;

use highwater_tests::python::original;
use highwater_tests::run::Run;

use super::Site;

#[test]
fn a_point_is_restored_by_hand() {
    let mut site = Site::plone(31);
    site.back_up().expect(0);
    site.commit(5);
    site.back_up().expect(0);
    site.commit(5);
    site.back_up().expect(0);
    for (number, point) in site.points().into_iter().enumerate() {
        let (set, out) = (site.path("set"), site.path(&format!("out-{number}")));
        let list = set.join("points").join(format!("{point}.mtree"));
        let text = site.list(&point);
        let within = text.lines().find_map(|line| line.strip_prefix("# within repozo repozo@")).expect("a comment");
        let (stamp, path) = within.split_once(' ').expect("a path");
        let entry = text.lines().find(|line| line.starts_with(&format!("{path} "))).expect("an entry");
        let mode = entry.split(' ').find_map(|word| word.strip_prefix("mode=")).expect("a mode");
        // Data.fs comes first, as the time of its folder comes with the rest.
        let data = out.join(path);
        fs::create_dir_all(data.parent().expect("a folder")).expect("a folder");
        let repository = set.join("repozo");
        let words = ["-R", "-r", path_of(&repository), "-D", stamp, "-o", path_of(&data)].map(str::to_owned);
        original("2026-11-28-00-00-00", &words).expect(0);
        let script = r#"rm -f "$3.index"; chmod "$4" "$3"; cd "$0"
            sed -E "\|^$5 |d; s|sha256=(..)([0-9a-f]{62})|& contents=objects/\1/\1\2|" "$1" |
            bsdtar --format=pax -cf - @- | tar -xpf - -C "$2"
            mtree -p "$2" -f "$1""#;
        let mut command = Command::new("sh");
        command.args(["-e", "-c", script]).args([&set, &list, &out, &data]).args([mode, path]);
        Run::of(&mut command).expect(0);
        site.expect_opens(&point, &format!("out-{number}"));
    }
}

fn path_of(path: &Path) -> &str {
    path.to_str().expect("plain text")
}
