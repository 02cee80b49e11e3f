//! Puts the page into the program, if `web/build` has made it.

use std::path::Path;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    // The folder is always there: a file that is missing would have the program built anew each time.
    println!("cargo:rerun-if-changed=page");
    let page = match fs::read("page/highwater.html") {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        page => page?,
    };
    let folder = env::var_os("OUT_DIR").ok_or(io::ErrorKind::NotFound)?;
    fs::write(Path::new(&folder).join("highwater.html"), page)
}
