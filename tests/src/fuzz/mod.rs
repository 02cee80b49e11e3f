//! The fuzz targets: for each parser, codec, name and renderer a function that takes any bytes and asserts what must hold.
//!
//! A target does not only wait for a panic: it compares with an independent reader, with the same input cut otherwise, or
//! with what comes back from a round trip. `tests/tests/fuzz/` feeds them the corpus and inputs of [`mutate`] on a stable
//! compiler, `tests/fuzz` feeds them to libFuzzer.

mod digests;
mod feed;
mod index_lines;
mod marks;
mod markup;
pub mod mutate;
mod names;
mod oids;
pub mod play;
mod records;
mod reference;
mod reports;
mod seeds;
mod set;
mod stores;
mod streams;

pub use stores::small_store;

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

/// Every target.
pub static TARGETS: &[Target] = &[
    Target { name: "names", run: names::names, seeds: seeds::names, words: seeds::NAME_WORDS },
    Target { name: "words", run: names::words, seeds: seeds::words, words: seeds::NAME_WORDS },
    Target { name: "dat", run: index_lines::dat, seeds: seeds::dat, words: seeds::DAT_WORDS },
    Target { name: "lines", run: index_lines::lines, seeds: seeds::lines, words: seeds::LINE_WORDS },
    Target { name: "md5", run: streams::md5, seeds: seeds::md5, words: &[] },
    Target { name: "lanes", run: digests::lanes, seeds: seeds::lanes, words: &[] },
    Target { name: "marks", run: marks::marks, seeds: seeds::marks, words: seeds::MARK_WORDS },
    Target { name: "gunzip", run: streams::gunzip, seeds: seeds::gunzip, words: seeds::GZIP_WORDS },
    Target { name: "gzip", run: streams::gzip, seeds: seeds::gzip, words: &[] },
    Target { name: "claim", run: streams::claim, seeds: seeds::claim, words: seeds::GZIP_WORDS },
    Target { name: "walk", run: records::walk, seeds: seeds::walk, words: seeds::RECORD_WORDS },
    Target { name: "sane", run: records::sane_index, seeds: seeds::sane, words: seeds::RECORD_WORDS },
    Target { name: "compose", run: records::compose, seeds: seeds::compose, words: &[] },
    Target { name: "fsindex", run: oids::fsindex, seeds: seeds::fsindex, words: seeds::INDEX_WORDS },
    Target { name: "oids", run: oids::oids, seeds: seeds::oids, words: &[] },
    Target { name: "report", run: reports::report, seeds: seeds::report, words: seeds::REPORT_WORDS },
    Target { name: "render", run: reports::render, seeds: seeds::render, words: seeds::RENDER_WORDS },
    Target { name: "set", run: set::set, seeds: seeds::set, words: seeds::SET_WORDS },
    Target { name: "blob", run: stores::blob, seeds: stores::seeds::blob, words: stores::seeds::WORDS },
    Target { name: "seal", run: stores::seal, seeds: stores::seeds::seal, words: &[] },
    Target { name: "fidx", run: stores::fidx, seeds: stores::seeds::fidx, words: &[] },
    Target { name: "manifest", run: stores::manifest, seeds: stores::seeds::manifest, words: stores::seeds::TEXT },
    Target { name: "keyfile", run: stores::keyfile, seeds: stores::seeds::keyfile, words: stores::seeds::TEXT },
    Target { name: "store", run: stores::store, seeds: stores::seeds::store, words: stores::seeds::WORDS },
];

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
    let target = TARGETS.iter().find(|target| target.name == name).expect("a target of this name");
    (target.run)(bytes);
}
