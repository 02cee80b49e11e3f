//! A store as its server lays it out in S3, in a bucket and copied home: it is judged as the store itself is.

use highwater_tests::repo::Image;
use highwater_tests::specimens::{self, Specimen as _, lay};

use crate::both::Both as _;
use crate::roots::Roots;

/// The names that the files of a store have in S3.
fn in_s3(files: &Image) -> Image {
    let key = |name: &str| if name.starts_with(".chunks/") { name.to_owned() } else { format!(".cnt/{name}") };
    let mut all: Image = files.iter().map(|(name, bytes)| (key(name), bytes.clone())).collect();
    all.insert(".in-use".to_owned(), b"{}".to_vec());
    all
}

#[test]
fn a_store_laid_out_as_in_s3_is_judged_as_the_store_is() {
    let (roots, specimen) = (Roots::new(), specimens::datastore::Datastore);
    let sample = specimen.small();
    let mut cases: Vec<Image> = specimen.damages(&sample).step_by(9).take(12).map(|case| case.files.clone()).collect();
    cases.push(sample.files.clone());
    let mut codes = Vec::new();
    for files in cases {
        lay(&files, &roots.near());
        let plain = roots.run(&["verify", "--json"], &roots.near(), &[]);
        roots.lay(&in_s3(&files));
        let alike = |run: &highwater_tests::run::Run, root: &std::path::Path| {
            run.text().replace(&root.display().to_string(), "ROOT").replace("ROOT/.cnt", "ROOT")
        };
        let wanted = alike(&plain, &roots.near());
        for root in [roots.near(), Roots::far()] {
            let run = roots.run(&["verify", "--json"], &root, &[]);
            assert!(run.code == plain.code && alike(&run, &root) == wanted, "{}\n{}", plain.account(), run.account());
        }
        codes.push(plain.code);
    }
    // Without its key, part of the sound one cannot be judged.
    assert!(codes.contains(&3) && codes.contains(&1), "{codes:?}");
}
