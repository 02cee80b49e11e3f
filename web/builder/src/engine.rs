//! The engine as a script: compiled, bound to JavaScript, compressed.

use std::error::Error;
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::{env, fs};

use libdeflater::{CompressionLvl, Compressor};
use lzma_rust2::{LzmaOptions, LzmaWriter};
use wasm_bindgen_cli_support::Bindgen;

use crate::{plain::plain, text};

/// What wasm-bindgen wrote.
pub(crate) struct Bound {
    /// A script that defines `wasm_bindgen`.
    glue: String,
    /// The module.
    pub(crate) wasm: Vec<u8>,
}

/// Compiles the package `highwater-wasm` and binds it: what the `part` of this name takes, or the whole.
pub(crate) fn bind(root: &Path, part: Option<&str>) -> Result<Bound, Box<dyn Error>> {
    let target = root.join("target/web-build");
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root).args(["build", "--quiet", "--profile", "web", "--target", "wasm32-unknown-unknown"]);
    cargo.args(["-p", "highwater-wasm", "--target-dir"]).arg(&target);
    if let Some(part) = part {
        cargo.args(["--no-default-features", "--features", part]);
    }
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

    /// A statement by which the constant of this name has what goes `before`, the source of a worker, and the module,
    /// packed together: `web/page/unpack.js` comes before it.
    pub(crate) fn packed(&self, name: &str, before: &[&str], worker: &str) -> Result<String, Box<dyn Error>> {
        let mut parts: Vec<&[u8]> = before.iter().map(|part| part.as_bytes()).collect();
        parts.extend([worker.as_bytes(), &self.wasm]);
        let lengths: Vec<String> = parts.iter().map(|part| part.len().to_string()).collect();
        let text = text::of(&lzma(&parts.concat())?);
        Ok(format!("const {name} = packed(\"{text}\", [{}]);\n", lengths.join(", ")))
    }
}

/// As small as LZMA gets it, with the parameters that `web/page/unpack.js` has.
fn lzma(bytes: &[u8]) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut options = LzmaOptions::with_preset(9);
    (options.lc, options.lp, options.pb, options.nice_len) = (4, 0, 0, 273);
    let mut writer = LzmaWriter::new_no_header(Vec::new(), &options, false)?;
    writer.write_all(bytes)?;
    Ok(writer.finish()?)
}

/// As small as gzip gets it, which servers speak.
fn gzip(bytes: &[u8]) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut compressor = Compressor::new(CompressionLvl::best());
    let mut out = vec![0; compressor.gzip_compress_bound(bytes.len())];
    let length = compressor.gzip_compress(bytes, &mut out)?;
    out.truncate(length);
    Ok(out)
}
