//! `--quick` builds on no data file that is gone, cut or emptied.

use std::fs;
use std::io::Write;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use highwater_tests::repo::Fixture;
use highwater_tests::repository::{data_files, decoded, expect_same_bytes};
use highwater_tests::run::{Run, drop_in};
use highwater_tests::score::Score;

use super::LINE;

/// What happens to a stored file of this many bytes.
fn harms(stored: &[u8], gzip: bool) -> Vec<(String, Option<Vec<u8>>)> {
    let mut harms = vec![("gone".to_owned(), None), ("empty".to_owned(), Some(Vec::new()))];
    let mut ends =
        vec![1, 10, stored.len() / 3, stored.len() / 2, stored.len() - 8, stored.len() - 4, stored.len() - 1];
    // Exactly between two members: what is left is a whole gzip file.
    let header = stored.windows(4).enumerate().filter(|(_, four)| *four == [0x1f, 0x8b, 8, 4]);
    ends.extend(header.map(|(at, _)| at).filter(|at| gzip && *at > 0));
    harms.extend(ends.into_iter().map(|end| (format!("cut at {end}"), Some(stored[..end].to_vec()))));
    let mut zeros = stored.to_vec();
    let end = zeros.len();
    zeros[end / 2..].fill(0);
    if gzip {
        harms.push(("zeros at its end".to_owned(), Some(zeros)));
    }
    harms.push(("longer".to_owned(), Some([stored, &[0x77; 9]].concat())));
    harms
}

fn quick(fixture: &mut Fixture, program: &str, flags: &[&str]) -> Run {
    fixture.clock.tick(60);
    let (source, repo) = (fixture.source.to_str().expect("a path"), fixture.repo.to_str().expect("a path"));
    match program {
        "backup" => fixture.run(&[&["backup", "--quick"], flags, &[source, repo]].concat()),
        _ => drop_in(&fixture.clock.stamp(), &[&["-B", "-Q", "-f", source, "-r", repo], flags].concat()),
    }
}

#[test]
fn quick_starts_a_new_chain_when_a_file_of_the_old_one_is_gone_or_cut() {
    let mut score = Score::part(LINE, "quick on a base that is gone");
    for (program, form) in
        [("backup", "plain"), ("backup", "gzip"), ("repozo", "gzip"), ("backup", "large"), ("backup", "one member")]
    {
        let flags: &[&str] = if form == "plain" { &[] } else { &["--gzip"] };
        let mut fixture = Fixture::new();
        if form == "large" {
            fixture.data.grow_large(5);
        }
        let full = fixture.backup(flags);
        fixture.grow(4);
        let delta = fixture.backup(flags);
        fixture.grow(4);
        if form == "one member" {
            for name in data_files(&fixture.repo) {
                as_python_writes_it(&fixture.file(&name));
            }
        }
        let names = data_files(&fixture.repo);
        assert!(names[0].starts_with(&full) && names[1].starts_with(&delta), "{names:?}");
        for name in names {
            let stored = fs::read(fixture.file(&name)).expect("a data file");
            for (harm, bytes) in harms(&stored, form != "plain") {
                let repo = fixture.path("harmed");
                let _ = fs::remove_dir_all(&repo);
                highwater_tests::repository::copy(&fixture.repo, &repo);
                let kept = std::mem::replace(&mut fixture.repo, repo);
                match bytes {
                    Some(bytes) => fs::write(fixture.file(&name), bytes).expect("a harmed file"),
                    None => fs::remove_file(fixture.file(&name)).expect("a file goes"),
                }
                let run = quick(&mut fixture, program, flags);
                let made = data_files(&fixture.repo).pop().expect("a data file");
                let stamp = fixture.clock.stamp();
                score.ran(1);
                let whole = made == format!("{stamp}.fs{}", if flags.is_empty() { "" } else { "z" })
                    && decoded(&fixture.file(&made)) == fixture.data.bytes;
                // A full backup that is gone makes its increments a chain without a beginning, which is older news.
                let said = run.stderr.contains("full backup") || (harm == "gone" && program == "repozo");
                if run.code != 0 || !whole || !said {
                    score.fail(format!("{program}, {form}, {name} {harm}: made {made}\n{}", run.account()));
                }
                fixture.repo = kept;
            }
        }
        // Whole, the chain goes on.
        let run = quick(&mut fixture, program, flags);
        score.ran(1);
        let made = data_files(&fixture.repo).pop().expect("a data file");
        if run.code != 0 || !made.contains(".deltafs") || !run.stderr.is_empty() {
            score.fail(format!("{program}, {form}: a sound chain was not gone on with: {made}\n{}", run.account()));
        }
        let target = fixture.path("out.fs");
        fixture.restore("", &target, &[]).expect(0);
        expect_same_bytes(&fs::read(&target).expect("a restored file"), &fixture.data.bytes, form);
    }
    score.end();
}

/// Compresses a file anew as one gzip member, and then a second time as members of odd lengths: others may write
/// either.
fn as_python_writes_it(path: &Path) {
    let bytes = decoded(path);
    let gzipped = |bytes: &[u8]| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).expect("compressed");
        encoder.finish().expect("compressed")
    };
    let is_full = path.extension().is_some_and(|extension| extension == "fsz");
    let stored = if is_full { gzipped(&bytes) } else { bytes.chunks(77).flat_map(gzipped).collect() };
    fs::write(path, stored).expect("a data file is written anew");
}
