//! Builds the page into `target/web` and the package for npm into `target/npm`: `web/build` runs it.
//!
//! 1. cargo compiles `wasm/` with simd128; wasm-bindgen writes its JavaScript.
//! 2. The modules of `web/page` with those of `web/api`, and of `web/worker`, are joined into one script each ([`join`]).
//! 3. `engine.js` carries the worker's script and the wasm, compressed; so neither page nor worker ever fetches anything.
//! 4. What `index.html` says of kinds of backup comes from the engine's formats ([`kinds`]).
//! 5. The sample of a backup is put into the page's script ([`sample`]).
//! 6. `index.html` names its scripts; `highwater.html` holds them, under a policy that lists their digests ([`page`]).
//! 7. `highwater.html` is copied into `native/page`, from where the program takes it in.
//! 8. The package has the modules of `web/api` as they are, the worker's script and the wasm ([`npm`]).
#![expect(clippy::print_stdout, reason = "what was built is the result")]

mod engine;
mod join;
mod kinds;
mod npm;
mod page;
mod plain;
mod sample;
mod text;

use std::error::Error;
use std::path::Path;
use std::{env, fs};

use sha2::{Digest, Sha256};

fn main() -> Result<(), Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).ok_or("the workspace is two folders up")?;
    let out = env::args_os().nth(1).map_or_else(|| root.join("target/web"), Into::into);
    let sources = root.join("web");
    fs::create_dir_all(&out)?;
    let bound = engine::bind(root)?;
    let worker = bound.worker(&join::join(&sources, "worker/main.js")?)?;
    let engine = bound.script(&worker)?;
    let app = sample::put(&plain::plain(&join::join(&sources, "page/main.js")?)?, &sources.join("sample"))?;
    let html = kinds::named(&fs::read_to_string(sources.join("index.html"))?)?;
    let style = fs::read_to_string(sources.join("style.css"))?;
    let parts = page::Parts { html: &html, style: &style, engine: &engine, app: &app };
    let single = parts.single()?;
    for (name, text) in [
        ("index.html", parts.linked()?),
        ("style.css", style.clone()),
        ("engine.js", engine.clone()),
        ("app.js", app.clone()),
        ("highwater.html", single.clone()),
    ] {
        fs::write(out.join(name), text)?;
    }
    into_program(&root.join("native/page").join("highwater.html"), &single)?;
    let sum: String = Sha256::digest(single.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    let package = npm::write(root, &out.with_file_name("npm"), &worker, &bound.wasm)?;
    fs::write(out.join("highwater.html.sha256"), format!("{sum}  highwater.html\n"))?;
    println!("{}", out.join("index.html").display());
    println!("{} ({} bytes)", out.join("highwater.html").display(), single.len());
    println!("sha256 {sum}");
    println!("{}", package.display());
    println!("wasm {} bytes, {} compressed", bound.wasm.len(), bound.compressed()?.len());
    Ok(())
}

/// Puts the page where the program's build looks for it. One that is the same is left: the program would be built anew.
fn into_program(place: &Path, page: &str) -> std::io::Result<()> {
    match fs::read(place) {
        Ok(there) if there == page.as_bytes() => Ok(()),
        _ => fs::write(place, page),
    }
}
