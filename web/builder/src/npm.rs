//! The package for npm: the API's modules, the workers' scripts, the wasm, and what describes them.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

/// What lies there, beside the API's modules: where it is in the workspace, and its name in the package.
const ABOUT: [(&str, &str); 4] = [
    ("web/npm/README.md", "README.md"),
    ("web/npm/highwater.d.ts", "highwater.d.ts"),
    ("LICENSE-APACHE", "LICENSE-APACHE"),
    ("LICENSE-MIT", "LICENSE-MIT"),
];

/// Where the version goes in `package.json`.
const VERSION: &str = "\"0.0.0\"";

/// An engine: the name of its worker's script and that script, the name of its module and that module.
type Engine<'a> = (&'a str, &'a str, &'a str, &'a [u8]);

/// Writes it, and gives where it is. What was there before is gone.
pub(crate) fn write(root: &Path, out: &Path, engines: [Engine<'_>; 2]) -> Result<PathBuf, Box<dyn Error>> {
    if out.exists() {
        fs::remove_dir_all(out)?;
    }
    fs::create_dir_all(out)?;
    for entry in fs::read_dir(root.join("web/api"))? {
        let entry = entry?;
        fs::copy(entry.path(), out.join(entry.file_name()))?;
    }
    for (from, name) in ABOUT {
        fs::copy(root.join(from), out.join(name))?;
    }
    let package = fs::read_to_string(root.join("web/npm/package.json"))?;
    if package.matches(VERSION).count() != 1 {
        return Err(format!("web/npm/package.json must have {VERSION} once").into());
    }
    let version = format!("{:?}", env!("CARGO_PKG_VERSION"));
    fs::write(out.join("package.json"), package.replace(VERSION, &version))?;
    let node = fs::read_to_string(root.join("web/worker/node.js"))?;
    for (script, worker, module, wasm) in engines {
        fs::write(out.join(script), format!("{node}{worker}"))?;
        fs::write(out.join(module), wasm)?;
    }
    Ok(out.to_owned())
}
