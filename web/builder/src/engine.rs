//! The engine as a script: compiled, bound to JavaScript, compressed.

use std::error::Error;
use std::path::Path;
use std::process::Command;
use std::{env, fs};

use libdeflater::{CompressionLvl, Compressor};
use wasm_bindgen_cli_support::Bindgen;

use crate::{plain::plain, text};

/// What wasm-bindgen wrote.
pub(crate) struct Bound {
    /// A script that defines `wasm_bindgen`.
    glue: String,
    /// The module.
    pub(crate) wasm: Vec<u8>,
}

/// Compiles the package `highwater-wasm` and binds it.
pub(crate) fn bind(root: &Path) -> Result<Bound, Box<dyn Error>> {
    let target = root.join("target/web-build");
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root).args(["build", "--quiet", "--profile", "web", "--target", "wasm32-unknown-unknown"]);
    cargo.args(["-p", "highwater-wasm", "--target-dir"]).arg(&target);
    // Absolute paths would make the result depend on where it was built.
    let flags = format!("-Ctarget-feature=+simd128 --remap-path-prefix={}=.", root.display());
    cargo.env("RUSTFLAGS", flags).env_remove("CARGO_ENCODED_RUSTFLAGS");
    if !cargo.status()?.success() {
        return Err(
            "cargo could not build highwater-wasm; `rustup target add wasm32-unknown-unknown` may be missing".into()
        );
    }
    let module = target.join("wasm32-unknown-unknown/web/highwater_wasm.wasm");
    let mut bindgen = Bindgen::new();
    bindgen
        .input_path(module)
        .out_name("highwater")
        .no_modules(true)?
        .typescript(false)
        .remove_producers_section(true)
        .remove_name_section(true);
    let bound = target.join("bound");
    bindgen.generate(&bound)?;
    let (glue, wasm) = (fs::read_to_string(bound.join("highwater.js"))?, fs::read(bound.join("highwater_bg.wasm"))?);
    Ok(Bound { glue, wasm })
}

impl Bound {
    /// The module, compressed.
    pub(crate) fn compressed(&self) -> Result<Vec<u8>, Box<dyn Error>> {
        gzip(&self.wasm)
    }

    /// The source of a worker: what binds it to the module, and the joined scripts.
    pub(crate) fn worker(&self, scripts: &str) -> Result<String, Box<dyn Error>> {
        Ok(format!("{}{}", plain(&self.glue)?, plain(scripts)?))
    }

    /// The script that a page loads first: an `ENGINE` with the source of a worker, and the module. Behind the length of the source (four bytes, the lowest first) both are compressed
    /// together.
    pub(crate) fn script(&self, worker: &str) -> Result<String, Box<dyn Error>> {
        let mut payload = u32::try_from(worker.len())?.to_le_bytes().to_vec();
        payload.extend_from_slice(worker.as_bytes());
        payload.extend_from_slice(&self.wasm);
        Ok(format!("const ENGINE = \"{}\";\n", text::of(&gzip(&payload)?)))
    }
}

/// As small as gzip gets it: everybody who opens the page reads it.
fn gzip(bytes: &[u8]) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut compressor = Compressor::new(CompressionLvl::best());
    let mut out = vec![0; compressor.gzip_compress_bound(bytes.len())];
    let length = compressor.gzip_compress(bytes, &mut out)?;
    out.truncate(length);
    Ok(out)
}
