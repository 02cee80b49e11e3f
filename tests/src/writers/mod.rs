//! Real stores that are written to by their own engines while a test works beside them, and the judges of copies.
//!
//! The programs lie in `tests/writers` and `tests/python`. Each acknowledges a number on its standard output once
//! everything up to it is durable, goes on where it was when it is started again, and ends with its standard input.

mod process;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::binary;
use crate::python;
use crate::run::Run;

pub use process::Writer;

/// A judge that takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(120);

/// An engine that has a writer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// fjall 3, the crate itself.
    Fjall,
    /// RocksDB, by `rocksdict`.
    Rocksdb,
    /// LevelDB, by `plyvel`.
    Leveldb,
    /// git itself, in a bare repository.
    Git,
    /// Tantivy, the crate itself.
    Tantivy,
    /// What DirectoryStorage does to its files, as it runs on no Python of today.
    Dirstorage,
}

impl Kind {
    /// All kinds whose writers are built in little time.
    pub const QUICK: [Self; 4] = [Self::Fjall, Self::Rocksdb, Self::Leveldb, Self::Git];

    /// What it is called in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fjall => "fjall",
            Self::Rocksdb => "rocksdb",
            Self::Leveldb => "leveldb",
            Self::Git => "git",
            Self::Tantivy => "tantivy",
            Self::Dirstorage => "dirstorage",
        }
    }

    /// The number whose acknowledgement says that the store has begun to drop old files.
    pub const fn warm(self) -> u64 {
        match self {
            Self::Fjall | Self::Rocksdb | Self::Leveldb => 2_000,
            Self::Git => 20,
            Self::Tantivy => 400,
            Self::Dirstorage => 100,
        }
    }

    /// Batches a second that leave room for others on two cores, and yet make files come and go all the time.
    pub const fn rate(self) -> u64 {
        match self {
            Self::Fjall | Self::Rocksdb | Self::Leveldb => 1_500,
            Self::Git => 20,
            Self::Tantivy => 400,
            Self::Dirstorage => 50,
        }
    }

    fn program(self) -> Command {
        match self {
            Self::Fjall => Command::new(built("writer-fjall")),
            Self::Tantivy => Command::new(built("writer-tantivy")),
            Self::Rocksdb => python::command("rocksdb_store.py"),
            Self::Leveldb => python::command("leveldb_store.py"),
            Self::Git => python::command("git_store.py"),
            Self::Dirstorage => python::command("dirstorage_store.py"),
        }
    }

    /// Have the engine itself open `copy`, which may change it, and compare all that is in it. It must hold what was
    /// acknowledged.
    #[track_caller]
    pub fn judge(self, copy: &Path, acknowledged: u64) -> Judgement {
        let mut command = self.program();
        let run =
            Run::within(PATIENCE, command.arg("judge").arg(copy).args(["--acknowledged", &acknowledged.to_string()]));
        let account: Value = serde_json::from_slice(&run.stdout).unwrap_or(Value::Null);
        let good = run.code == 0 && account["good"] == true;
        let why = match account["why"].as_str() {
            Some(why) if good == why.is_empty() => why.to_owned(),
            _ => run.account(),
        };
        Judgement { good, last: account["last"].as_u64().unwrap_or(0), why }
    }
}

/// What an engine found in a copy.
#[derive(Debug)]
pub struct Judgement {
    /// Whether it is exactly a prefix, and holds what was acknowledged.
    pub good: bool,
    /// The last number in it.
    pub last: u64,
    /// What is wrong.
    pub why: String,
}

/// A program of `tests/writers`, by the name of its crate; `HIGHWATER_TEST_WRITERS` names the folder of another build.
fn built(name: &str) -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder =
        std::env::var_os("HIGHWATER_TEST_WRITERS").map_or_else(|| tests.join("../target/writers/debug"), PathBuf::from);
    let program = folder.join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    let advice =
        format!("run tests/run, or `cargo build -p {name} --target-dir ../../target/writers` in tests/writers");
    binary::must_be_fresh(&program, &advice);
    program
}
