//! Builds the page into `target/web` and the package for npm into `target/npm`: `web/build` runs it.
//!
//! 1. cargo compiles `wasm/` with simd128, the whole and a part; wasm-bindgen writes their JavaScript.
//! 2. The modules of `web/page` with those of `web/api`, and of `web/worker`, are joined into one script each
//!    ([`join`]).
//! 3. `engine.js` carries the worker's script and the wasm of what repozo repositories take, packed; `whole.js` those
//!    of all formats, for a page in which something else is dropped. Neither page nor worker ever fetches anything
//!    else.
//! 4. What `index.html` says of kinds of backup comes from the engine's formats ([`kinds`]).
//! 5. The sample of a backup is put into the page's script ([`sample`]).
//! 6. `index.html` names its scripts; `highwater.html` holds the page's and the whole engine, packed together, under a
//!    policy that lists their digests ([`page`]).
//! 7. `highwater.html` is copied into `native/page`, from where the program takes it in.
//! 8. The documents are rendered into `docs`, to which the page in files leads ([`docs`]).
//! 9. The package has the modules of `web/api` as they are, the workers' scripts and the wasm ([`npm`]).
#![expect(clippy::print_stdout, reason = "what was built is the result")]

mod docs;
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
    let (first, whole) = (engine::bind(root, Some("repozo"))?, engine::bind(root, None)?);
    let scripts = join::join(&sources, "worker/main.js")?;
    let (helper, worker) = (first.worker(&scripts)?, whole.worker(&scripts)?);
    let unpack = plain::plain(&fs::read_to_string(sources.join("page/unpack.js"))?)?;
    let engine = format!("{unpack}const REST = \"whole.js\";\n{}", first.packed("ENGINE", &[], &helper)?);
    let (engine, rest) = (page::utf16(&engine), page::utf16(&whole.packed("WHOLE", &[], &worker)?));
    let app = sample::put(&plain::plain(&join::join(&sources, "page/main.js")?)?, &sources.join("sample"))?;
    let html = kinds::named(&fs::read_to_string(sources.join("index.html"))?)?;
    let style = fs::read_to_string(sources.join("style.css"))?;
    let packed = format!("{unpack}const REST = null;\n{}", whole.packed("ENGINE", &[&style, &app], &worker)?);
    let parts = page::Parts { html: &html, style: &style, app: &app };
    let single = parts.single(&packed)?;
    let single = page::utf16(&single);
    for (name, text) in [
        ("index.html", parts.linked()?.as_bytes()),
        ("style.css", style.as_bytes()),
        ("engine.js", &engine),
        ("whole.js", &rest),
        ("app.js", app.as_bytes()),
        ("highwater.html", &single),
    ] {
        fs::write(out.join(name), text)?;
    }
    docs::write(root, &out)?;
    into_program(&root.join("native/page").join("highwater.html"), &single)?;
    let sum: String = Sha256::digest(&single).iter().map(|byte| format!("{byte:02x}")).collect();
    let engines =
        [("repozo.js", &*helper, "repozo.wasm", &*first.wasm), ("worker.js", &worker, "highwater.wasm", &whole.wasm)];
    let package = npm::write(root, &out.with_file_name("npm"), engines)?;
    fs::write(out.join("highwater.html.sha256"), format!("{sum}  highwater.html\n"))?;
    println!("{}", out.join("index.html").display());
    println!("{} ({} bytes)", out.join("highwater.html").display(), single.len());
    println!("sha256 {sum}");
    println!("{}", package.display());
    for (name, bound) in [("repozo", &first), ("highwater", &whole)] {
        println!("{name}.wasm {} bytes, {} compressed", bound.wasm.len(), bound.compressed()?.len());
    }
    println!("engine.js {} bytes, whole.js {} bytes", engine.len(), rest.len());
    Ok(())
}

/// Puts the page where the program's build looks for it. One that is the same is left: the program would be built anew.
fn into_program(place: &Path, page: &[u8]) -> std::io::Result<()> {
    match fs::read(place) {
        Ok(there) if there == page => Ok(()),
        _ => fs::write(place, page),
    }
}
