//! The crates as a registry gets them: what they say of themselves, and the files that they hold.

use std::fs;
use std::process::Command;

use highwater_tests::run::Run;
use serde_json::Value;

use super::root;

/// The crates that are published.
const CRATES: [(&str, &str); 2] = [("highwater-core", "core"), ("highwater", "native")];

fn cargo(arguments: &[&str]) -> Run {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    Run::of(Command::new(cargo).args(arguments).arg("--offline").current_dir(root()))
}

/// What cargo knows of the crates of the workspace.
fn known() -> Vec<Value> {
    let run = cargo(&["metadata", "--format-version", "1", "--no-deps"]);
    let known: Value = serde_json::from_slice(&run.expect(0).stdout).expect("JSON");
    known["packages"].as_array().expect("packages").clone()
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[test]
fn each_crate_says_what_a_registry_asks_for_and_no_other_is_published() {
    let known = known();
    for package in &known {
        let name = package["name"].as_str().expect("a name");
        let is_ours = CRATES.iter().any(|(ours, _)| *ours == name);
        // An empty list of registries is what `publish = false` says.
        assert_eq!(package["publish"].is_null(), is_ours, "{name}");
        if !is_ours {
            continue;
        }
        assert!(package["description"].as_str().is_some_and(|text| text.len() > 40), "{name} has no description");
        assert_eq!(package["license"], "MIT OR Apache-2.0", "{name}");
        let count = |key: &str| package[key].as_array().map_or(0, Vec::len);
        // A registry takes five of each, and keywords of up to twenty letters.
        assert!((1..=5).contains(&count("keywords")) && (1..=5).contains(&count("categories")), "{name}");
    }
    assert!(CRATES.iter().all(|(name, _)| known.iter().any(|package| package["name"] == *name)));
}

#[test]
fn each_crate_holds_its_licences_and_a_readme_that_names_the_oldest_compiler() {
    let oldest = known()[0]["rust_version"].as_str().expect("a version").to_owned();
    for (name, folder) in CRATES {
        let list = cargo(&["package", "--list", "--allow-dirty", "-p", name]);
        let list = list.expect(0).text();
        let files: Vec<&str> = list.lines().collect();
        for file in ["LICENSE-MIT", "LICENSE-APACHE", "README.md", "src/lib.rs", "Cargo.toml"] {
            assert!(files.contains(&file), "{name} has no {file}");
        }
        for licence in ["LICENSE-MIT", "LICENSE-APACHE"] {
            assert_eq!(read(&format!("{folder}/{licence}")), read(licence), "{name}");
        }
        let readme = read(&format!("{folder}/README.md"));
        assert!(readme.contains(&oldest), "{name} does not say that it needs Rust {oldest}");
        let leads_out = readme.split("](").skip(1).find(|link| link.starts_with("..") || link.starts_with("web/"));
        assert_eq!(leads_out, None, "a registry shows the README without the rest of the repository");
    }
    for page in ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"] {
        assert!(read(page).contains(&oldest), "{page} does not name Rust {oldest}");
    }
}
