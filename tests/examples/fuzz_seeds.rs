//! Writes the seeds and dictionaries of the fuzz targets into `tests/fuzz`: to be run when a seed or a word has
//! changed.

use std::path::Path;
use std::{fs, io};

use highwater_tests::fuzz::targets;

fn main() -> io::Result<()> {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    for target in targets() {
        let (corpus, dictionaries) = (fuzz.join("corpus").join(target.name), fuzz.join("dictionaries"));
        fs::create_dir_all(&corpus)?;
        fs::create_dir_all(&dictionaries)?;
        for (number, seed) in (target.seeds)().iter().enumerate() {
            fs::write(corpus.join(format!("seed-{number:02}")), seed)?;
        }
        fs::write(dictionaries.join(target.name), target.dictionary())?;
    }
    Ok(())
}
