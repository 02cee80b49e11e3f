//! Scripts without what only their readers need: indentation, empty lines, and comments that have lines of their own.

use std::error::Error;

/// The script as the page carries it. Refused is one in which a string goes on over several lines, as its lines must
/// stay what they are.
pub(crate) fn plain(script: &str) -> Result<String, Box<dyn Error>> {
    let mut inside = false;
    let mut kept = String::new();
    for line in script.lines().map(str::trim) {
        inside |= line.starts_with("/**");
        let comment = inside || line.starts_with("// ");
        inside &= !line.ends_with("*/");
        if comment || line.is_empty() {
            continue;
        }
        if line.matches('`').count() % 2 == 1 {
            return Err(format!("a string goes on over this line's end: {line}").into());
        }
        kept.push_str(line);
        kept.push('\n');
    }
    Ok(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_go_and_code_stays() {
        let script = "/**\n * what\n */\nlet a = 1; // one\n\n    /** short */\n    // more\n    let b = \"/**\";\n";
        assert_eq!(plain(script).unwrap(), "let a = 1; // one\nlet b = \"/**\";\n");
        assert!(plain("let a = `one\n    two`;").is_err());
    }
}
