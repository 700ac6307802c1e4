//! The README shows the examples as they are, and names files and commands that
//! exist.
#![cfg(feature = "cli")]

use std::collections::{BTreeSet, HashSet};
use std::fs;
use std::path::Path;
use std::process::Command;

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

#[test]
fn the_examples_stand_in_it_word_for_word() {
    let readme = read("README.md");
    for (path, first) in [
        ("examples/token.rs", "use segl::"),
        ("examples/c/token.c", "#include <inttypes.h>"),
        ("examples/java/GetToken.java", "import no.segl"),
        ("examples/dotnet/Program.cs", "using System"),
        ("examples/python/get_token.py", "import sys"),
    ] {
        let source = read(path);
        let shown = source[source.find(first).unwrap()..].trim_end();
        assert!(readme.contains(shown), "copy {path} to README.md");
    }
}

#[test]
fn its_configuration_can_be_read() {
    let readme = read("README.md");
    let mut blocks = readme.split("```toml\n").skip(1);
    let mut next = || blocks.next().unwrap().split("```").next().unwrap();
    let (one_key, tls) = (next(), next());
    let (dnb, several_keys, shared_cache) = (next(), next(), next());
    let dnb = segl::Config::from_toml(dnb).unwrap();
    assert!(dnb.client("dnb").unwrap().has_client_certificate());
    let keys_of = |toml: &str| {
        let config = segl::Config::from_toml(toml).unwrap();
        let settings = config.client("bank").unwrap();
        settings.for_each_key().unwrap().len()
    };
    assert_eq!(keys_of(one_key), 1);
    let with_tls = segl::Config::from_toml(&format!("{one_key}\n{tls}")).unwrap();
    assert!(with_tls.client("bank").unwrap().tls.is_some());
    // The second block stands in the place of these settings of the first.
    let without_key = one_key
        .lines()
        .filter(|line| !line.starts_with("key ") && !line.starts_with("kid "))
        .collect::<Vec<_>>()
        .join("\n");
    assert_eq!(keys_of(&format!("{without_key}\n{several_keys}")), 2);
    let shared = segl::Config::from_toml(&format!("{one_key}\n{shared_cache}")).unwrap();
    assert!(shared.client("bank").unwrap().shared_cache.is_some());
}

#[test]
fn the_files_and_folders_it_names_exist() {
    let readme = read("README.md");
    let mut seen = 0;
    for name in readme.split('`').skip(1).step_by(2) {
        let is_path = [
            "docs/",
            "src/",
            "include/",
            "tests/",
            "benches/",
            "examples/",
            "bindings/",
            "SECURITY",
        ]
        .iter()
        .any(|start| name.starts_with(start));
        if is_path && !name.contains([' ', '…']) {
            seen += 1;
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
            assert!(path.exists(), "README.md names {name}, which is not there");
        }
    }
    assert!(seen > 5, "only {seen} paths were found");
}

#[test]
fn the_commands_it_lists_exist() {
    let readme = read("README.md");
    let mut seen = 0;
    for line in readme.lines().filter(|line| line.starts_with("| `segl ")) {
        let command = line.split('`').nth(1).unwrap();
        let words = command
            .split(' ')
            .skip(1)
            .take_while(|word| word.chars().all(|c| c.is_ascii_lowercase()));
        let help = Command::new(env!("CARGO_BIN_EXE_segl"))
            .args(words)
            .arg("--help")
            .output()
            .unwrap();
        let help_text = String::from_utf8(help.stdout).unwrap();
        assert!(help.status.success(), "{command}");
        for option in command
            .split(&[' ', '[', ']', '|', '\\'][..])
            .filter(|word| word.starts_with("--"))
        {
            assert!(help_text.contains(option), "{command}: no {option}");
            seen += 1;
        }
    }
    assert!(seen > 8, "only {seen} options were found");
}

/// The schema has them all; the README and the pages under docs say what they are for.
#[test]
fn every_setting_has_its_place() {
    let schema: serde_json::Value = serde_json::from_str(&read("docs/config.schema.json")).unwrap();
    let mut pages = read("README.md");
    for folder in ["docs", "docs/hsm"] {
        for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|ending| ending == "md") {
                pages.push_str(&fs::read_to_string(path).unwrap());
            }
        }
    }
    let is_in_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words: HashSet<_> = pages.split(|c| !is_in_name(c)).collect();
    let mut settings = BTreeSet::new();
    collect_settings(&schema, &mut settings);
    assert!(settings.len() > 50, "{settings:?}");
    settings.retain(|setting| !words.contains(setting.as_str()));
    assert!(settings.is_empty(), "say what they are for: {settings:?}");
}

fn collect_settings(schema: &serde_json::Value, settings: &mut BTreeSet<String>) {
    use serde_json::Value;
    match schema {
        Value::Object(members) => {
            if let Some(Value::Object(properties)) = members.get("properties") {
                settings.extend(properties.keys().cloned());
            }
            for member in members.values() {
                collect_settings(member, settings);
            }
        }
        Value::Array(items) => {
            for item in items {
                collect_settings(item, settings);
            }
        }
        _ => {}
    }
}
