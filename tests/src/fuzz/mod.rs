//! The fuzz targets: for each parser, codec, name and renderer a function that takes any bytes and asserts what must
//! hold.
//!
//! A target does not only wait for a panic: it compares with an independent reader, with the same input cut otherwise,
//! or with what comes back from a round trip. `tests/tests/fuzz/` feeds them the corpus and inputs of [`mutate`] on a
//! stable compiler, `tests/fuzz` feeds them to libFuzzer.

pub(crate) mod digests;
pub(crate) mod feed;
mod marks;
pub(crate) mod markup;
pub mod mutate;
pub(crate) mod names;
pub(crate) mod oids;
pub mod play;
pub(crate) mod records;
pub(crate) mod reference;
pub(crate) mod reports;
pub(crate) mod seeds;
pub(crate) mod streams;
pub(crate) mod wire;

use crate::specimens;

/// One thing that takes hostile bytes.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name: that of the libFuzzer binary and of the folder of its corpus.
    pub name: &'static str,
    /// Panics when the bytes show that a promise is broken.
    pub run: fn(&[u8]),
    /// Inputs that reach its depths, to start from.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// Words that its inputs are made of, for whoever makes inputs.
    pub words: &'static [&'static [u8]],
}

/// The targets for what belongs to no format.
static ENGINE: &[Target] = &[
    Target { name: "names", run: names::names, seeds: seeds::names, words: seeds::NAME_WORDS },
    Target { name: "words", run: names::words, seeds: seeds::words, words: seeds::NAME_WORDS },
    Target { name: "md5", run: streams::md5, seeds: seeds::md5, words: &[] },
    Target { name: "lanes", run: digests::lanes, seeds: seeds::lanes, words: &[] },
    Target { name: "marks", run: marks::marks, seeds: seeds::marks, words: seeds::MARK_WORDS },
    Target { name: "gunzip", run: streams::gunzip, seeds: seeds::gunzip, words: seeds::GZIP_WORDS },
    Target { name: "gzip", run: streams::gzip, seeds: seeds::gzip, words: &[] },
    Target { name: "claim", run: streams::claim, seeds: seeds::claim, words: seeds::GZIP_WORDS },
    Target { name: "report", run: reports::report, seeds: seeds::report, words: seeds::REPORT_WORDS },
    Target { name: "render", run: reports::render, seeds: seeds::render, words: seeds::RENDER_WORDS },
    Target { name: "wire", run: wire::wire, seeds: wire::seeds, words: wire::WORDS },
];

/// Those of the engine and of every format.
pub fn targets() -> Vec<Target> {
    ENGINE.iter().copied().chain(specimens::all().iter().flat_map(|specimen| specimen.targets())).collect()
}

impl Target {
    /// Its words in libFuzzer's form of a dictionary.
    pub fn dictionary(&self) -> String {
        let word = |word: &&[u8]| {
            let bytes: String = word.iter().map(|byte| format!("\\x{byte:02x}")).collect();
            format!("\"{bytes}\"\n")
        };
        self.words.iter().map(word).collect()
    }
}

/// Gives the bytes to the target of this name.
pub fn run(name: &str, bytes: &[u8]) {
    let target = targets().into_iter().find(|target| target.name == name).expect("a target of this name");
    (target.run)(bytes);
}
