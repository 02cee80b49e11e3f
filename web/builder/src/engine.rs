//! The engine as a script: compiled, bound to JavaScript, compressed.

use std::error::Error;
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::{env, fs};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use wasm_bindgen_cli_support::Bindgen;

/// What wasm-bindgen wrote.
pub(crate) struct Bound {
    /// A script that defines `wasm_bindgen`.
    glue: String,
    /// The module.
    pub(crate) wasm: Vec<u8>,
}

/// Compiles the package `highwater-wasm` and binds it. Its types for TypeScript are left in `out`.
pub(crate) fn bind(root: &Path, out: &Path) -> Result<Bound, Box<dyn Error>> {
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
        .typescript(true)
        .remove_producers_section(true)
        .remove_name_section(true);
    let bound = target.join("bound");
    bindgen.generate(&bound)?;
    fs::copy(bound.join("highwater.d.ts"), out.join("highwater.d.ts"))?;
    let (glue, wasm) = (fs::read_to_string(bound.join("highwater.js"))?, fs::read(bound.join("highwater_bg.wasm"))?);
    Ok(Bound { glue, wasm })
}

impl Bound {
    /// The module, compressed.
    pub(crate) fn compressed(&self) -> Result<Vec<u8>, Box<dyn Error>> {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
        gzip.write_all(&self.wasm)?;
        Ok(gzip.finish()?)
    }

    /// The script that a page loads first: an `ENGINE` with the module (gzip, base64) and the source of a worker, which begins
    /// with what binds it to the module.
    pub(crate) fn script(&self, worker: &str) -> Result<String, Box<dyn Error>> {
        let worker = quoted(&format!("{}\n{worker}", uncommented(&self.glue)));
        let wasm = STANDARD.encode(self.compressed()?);
        Ok(format!("const ENGINE = {{ wasm: \"{wasm}\", worker: {worker} }};\n"))
    }
}

/// A script without the comments that have lines of their own. Those of the bound classes are in `highwater.d.ts`.
fn uncommented(script: &str) -> String {
    let mut inside = false;
    let kept = script.lines().filter(|line| {
        let line = line.trim();
        inside |= line.starts_with("/**");
        let comment = inside || line.starts_with("// ");
        inside &= !line.ends_with("*/");
        !comment
    });
    kept.map(|line| format!("{line}\n")).collect()
}

/// A string of JavaScript that may stand in a script of a page.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            '<' => quoted.push_str("\\x3c"),
            c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') => {
                quoted.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_go_and_code_stays() {
        let script = "/**\n * what\n */\nlet a = 1; // one\n    /** short */\n    // more\nlet b = \"/**\";\n";
        assert_eq!(uncommented(script), "let a = 1; // one\nlet b = \"/**\";\n");
    }

    #[test]
    fn a_quoted_text_ends_no_script_and_no_string() {
        assert_eq!(quoted("a\"b\\c\n</script>\u{2028}\t"), r#""a\"b\\c\n\x3c/script>\u2028\u0009""#);
    }
}
