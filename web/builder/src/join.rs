//! Joins ES modules into one script, so that a page needs neither a bundler nor a server that sends many files.
//!
//! Each module becomes a function that gives what it exports, called once, after those that it imports. The modules
//! must be plain: each `import { a, b } from "./file.js";` or `"../folder/file.js"` and each `export` of a function,
//! class or constant begins its line, and nothing is renamed. What is not so is refused, not guessed at.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::Path;

/// The script of the module `first`, a path below `folder`, and of all that it imports.
pub(crate) fn join(folder: &Path, first: &str) -> Result<String, Box<dyn Error>> {
    let mut joined = Joined::default();
    joined.add(first, &mut |name| Ok(fs::read_to_string(folder.join(name))?))?;
    Ok(format!("(() => {{\n\"use strict\";\n{}}})();\n", joined.text))
}

#[derive(Default)]
struct Joined {
    text: String,
    /// What each module exports; none while it is being put there.
    modules: BTreeMap<String, Option<Vec<String>>>,
}

type Read<'a> = &'a mut dyn FnMut(&str) -> Result<String, Box<dyn Error>>;

impl Joined {
    fn add(&mut self, name: &str, read: Read<'_>) -> Result<(), Box<dyn Error>> {
        match self.modules.get(name) {
            Some(Some(_)) => return Ok(()),
            Some(None) => return Err(format!("{name} imports itself, by way of others").into()),
            None => {}
        }
        self.modules.insert(name.to_owned(), None);
        let (mut text, mut import, mut exports) = (String::new(), String::new(), Vec::new());
        for line in read(name)?.lines() {
            if !import.is_empty() || line.starts_with("import ") {
                import.push_str(line.trim_start());
                if line.ends_with(';') {
                    text.push_str(&self.import(name, &import, read)?);
                    import.clear();
                }
            } else if let Some(exported) = line.strip_prefix("export ") {
                let defined = defined(exported).ok_or_else(|| format!("{name}: cannot export so: {line}"))?;
                exports.push(defined.to_owned());
                text.push_str(exported);
                text.push('\n');
            } else {
                text.push_str(line);
                text.push('\n');
            }
        }
        let given = exports.join(", ");
        self.text.push_str(&format!("const {} = (() => {{\n{text}return {{ {given} }};\n}})();\n", variable(name)));
        self.modules.insert(name.to_owned(), Some(exports));
        Ok(())
    }

    /// Puts the imported module where it is needed, and says how `name` gets at its exports.
    fn import(&mut self, name: &str, import: &str, read: Read<'_>) -> Result<String, Box<dyn Error>> {
        let (names, from) = imported(import).ok_or_else(|| format!("{name}: cannot read: {import}"))?;
        let from = resolved(name, from).ok_or_else(|| format!("{name}: cannot read: {import}"))?;
        let from = from.as_str();
        self.add(from, read)?;
        let exports = self.modules.get(from).and_then(Option::as_ref).ok_or("it was added")?;
        let names: Vec<&str> = names.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
        if let Some(missing) = names.iter().find(|name| !exports.iter().any(|export| export == *name)) {
            return Err(format!("{name}: {from} does not export {missing}").into());
        }
        Ok(format!("const {{ {} }} = {};\n", names.join(", "), variable(from)))
    }
}

/// The constant that holds a module's exports.
fn variable(name: &str) -> String {
    let plain: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    format!("module_{plain}")
}

/// The names that an import takes, and from which module; none when it renames something or has another form.
fn imported(line: &str) -> Option<(&str, &str)> {
    let (names, from) = line.strip_prefix("import {")?.split_once("} from \"")?;
    let from = from.strip_suffix("\";")?;
    (!names.contains(" as ")).then_some((names, from))
}

/// The path of what the module `name` calls `from`: a neighbour, or a file of a folder beside its own.
fn resolved(name: &str, from: &str) -> Option<String> {
    let folder = name.rsplit_once('/').map_or("", |(folder, _)| folder);
    if let Some(file) = from.strip_prefix("./").filter(|file| !file.contains('/')) {
        return Some(if folder.is_empty() { file.to_owned() } else { format!("{folder}/{file}") });
    }
    let beside = from.strip_prefix("../").filter(|_| !folder.is_empty() && !folder.contains('/'))?;
    (beside.matches('/').count() == 1 && !beside.starts_with('.')).then(|| beside.to_owned())
}

/// The name that an exported function, class or constant defines. A variable could change after it was exported.
fn defined(line: &str) -> Option<&str> {
    let line = line.strip_prefix("async ").unwrap_or(line);
    let rest = ["function ", "class ", "const "].iter().find_map(|word| line.strip_prefix(word))?;
    let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_' && c != '$').unwrap_or(rest.len());
    rest.get(..end).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(modules: &[(&str, &str)]) -> Result<String, String> {
        let mut read = |name: &str| -> Result<String, Box<dyn Error>> {
            let module = modules.iter().find(|(other, _)| *other == name);
            Ok(module.ok_or_else(|| format!("there is no {name}"))?.1.to_owned())
        };
        let mut joined = Joined::default();
        joined.add("main.js", &mut read).map_err(|error| error.to_string())?;
        Ok(joined.text)
    }

    #[test]
    fn a_module_stands_once_and_before_those_that_import_it() {
        let main = ("main.js", "import { a } from \"./a.js\";\nimport {\n    b,\n} from \"./b.js\";\na(b);\n");
        let text = joined(&[
            main,
            ("a.js", "import { b } from \"./b.js\";\nexport function a() {\n    return b;\n}\n"),
            ("b.js", "const own = 1;\nexport const b = own;\n"),
        ]);
        let wanted = "const module_b_js = (() => {\nconst own = 1;\nconst b = own;\nreturn { b };\n})();\n\
            const module_a_js = (() => {\nconst { b } = module_b_js;\nfunction a() {\n    return b;\n}\nreturn { a };\n})();\n\
            const module_main_js = (() => {\nconst { a } = module_a_js;\nconst { b } = module_b_js;\na(b);\nreturn {  };\n})();\n";
        assert_eq!(text.unwrap(), wanted);
    }

    #[test]
    fn modules_of_folders_beside_one_another_are_found() {
        let mut read = |name: &str| -> Result<String, Box<dyn Error>> {
            Ok(match name {
                "page/main.js" => "import { a } from \"../api/a.js\";\na();\n",
                "api/a.js" => "import { b } from \"./b.js\";\nexport const a = b;\n",
                "api/b.js" => "export const b = 1;\n",
                other => return Err(format!("there is no {other}").into()),
            }
            .to_owned())
        };
        let mut joined = Joined::default();
        joined.add("page/main.js", &mut read).unwrap();
        let order = ["module_api_b_js = ", "module_api_a_js = ", "module_page_main_js = "];
        let at: Vec<_> = order.iter().map(|part| joined.text.find(part).unwrap()).collect();
        assert!(at.is_sorted(), "{}", joined.text);
        assert!(joined.text.contains("const { a } = module_api_a_js;"), "{}", joined.text);
    }

    #[test]
    fn what_is_not_plain_is_refused() {
        for (modules, why) in [
            (&[("main.js", "import { a as b } from \"./a.js\";")][..], "cannot read"),
            (&[("main.js", "import a from \"./a.js\";")], "cannot read"),
            (&[("main.js", "import { a } from \"./a.js\";")], "there is no a.js"),
            (&[("main.js", "import { a } from \"../a.js\";")], "cannot read"),
            (&[("main.js", "import { a } from \"a\";")], "cannot read"),
            (&[("main.js", "import { a } from \"./a.js\";"), ("a.js", "const a = 1;")], "does not export a"),
            (&[("main.js", "export { a };")], "cannot export"),
            (&[("main.js", "export default 1;")], "cannot export"),
            (&[("main.js", "export let a = 1;")], "cannot export"),
            (&[("main.js", "import { a } from \"./a.js\";"), ("a.js", "import { b } from \"./main.js\";")], "itself"),
        ] {
            let error = joined(modules).unwrap_err();
            assert!(error.contains(why), "{error}");
        }
    }
}
