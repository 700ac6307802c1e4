//! Data flows one way: each layer may use only those below it. Reads the
//! sources and fails on a back edge, and on `unsafe` where it does not belong.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

const BASE: &[&str] = &[
    "alg",
    "call",
    "clock",
    "endpoint",
    "error",
    "file",
    "fork",
    "hex",
    "jitter",
    "json",
    "log",
    "person_id",
    "secret",
];

/// A layer and the layers it may use beside `BASE` and itself.
const LAYERS: &[(&str, &[&str])] = &[
    // A key in a cloud is asked over HTTP; a client certificate is a key.
    ("keys", &["http"]),
    ("jws", &["keys"]),
    ("profiles", &["jws", "keys"]),
    ("http", &[]),
    // Answers that are encrypted.
    ("jwe", &["keys"]),
    ("token", &["profiles", "jwe", "jws", "keys", "http"]),
    // Tokens received.
    ("validate", &["token", "profiles", "jws", "keys", "http"]),
    ("config", &["validate", "token", "profiles", "keys"]),
    ("apis", &["token", "profiles", "jws", "keys", "http"]),
    (
        "ffi",
        &[
            "config", "apis", "validate", "token", "profiles", "http", "jws", "keys",
        ],
    ),
    // It checks proofs and makes encrypted answers as others would.
    ("simulator", &["validate", "jwe", "jws", "keys"]),
    (
        "cli",
        &[
            "config",
            "apis",
            "validate",
            "token",
            "profiles",
            "http",
            "jws",
            "keys",
            "simulator",
        ],
    ),
];

/// Where `unsafe` may stand.
const UNSAFE: &[&str] = &["ffi/", "keys/pkcs11/cryptoki.rs"];

#[test]
fn no_layer_uses_one_above_it() {
    let mut back_edges = Vec::new();
    for (layer, file) in sources() {
        let allowed = allowed(&layer);
        let text = fs::read_to_string(&file).unwrap();
        for used in modules_used(&text) {
            if !allowed.contains(used.as_str()) {
                back_edges.push(format!("{} ({layer}) uses {used}", file.display()));
            }
        }
    }
    assert!(
        back_edges.is_empty(),
        "back edges:\n{}",
        back_edges.join("\n")
    );
}

#[test]
fn every_layer_is_known() {
    let layers: BTreeSet<String> = sources().into_iter().map(|(layer, _)| layer).collect();
    for layer in layers {
        assert!(
            BASE.contains(&layer.as_str()) || LAYERS.iter().any(|(name, _)| *name == layer),
            "src/{layer} has no place among the layers"
        );
    }
}

#[test]
fn unsafe_stays_where_it_belongs() {
    let root = source_root();
    for (_, file) in sources() {
        let relative = file
            .strip_prefix(&root)
            .unwrap()
            .to_string_lossy()
            .into_owned();
        let text = fs::read_to_string(&file).unwrap();
        let uses_unsafe = text
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"))
            .any(|line| line.contains("unsafe ") || line.contains("allow(unsafe_code)"));
        assert!(
            !uses_unsafe || UNSAFE.iter().any(|allowed| relative.starts_with(allowed)),
            "{relative} uses unsafe"
        );
    }
}

fn source_root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// Every source file with the name of its layer.
fn sources() -> Vec<(String, PathBuf)> {
    let root = source_root();
    let mut files = Vec::new();
    collect(&root, &mut files);
    assert!(files.len() > 20, "only {} files found", files.len());
    files
        .into_iter()
        .filter_map(|file| {
            let relative = file.strip_prefix(&root).unwrap();
            let first = relative.iter().next().unwrap().to_str().unwrap();
            let layer = first.trim_end_matches(".rs").to_owned();
            (!matches!(layer.as_str(), "lib" | "bin")).then_some((layer, file))
        })
        .collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

fn allowed(layer: &str) -> BTreeSet<&str> {
    let own = LAYERS.iter().find(|(name, _)| *name == layer);
    let below = own.map(|(_, below)| *below).unwrap_or_default();
    BASE.iter()
        .chain(below)
        .copied()
        .chain(std::iter::once(layer))
        .collect()
}

/// The top-level names that a source file takes from the crate. A grouped import
/// (`crate::{…}`) gives an empty name and a re-export its own: neither is a
/// layer, so both fail, and every import shows the layer it comes from.
fn modules_used(text: &str) -> BTreeSet<String> {
    text.lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .flat_map(|line| line.split("crate::").skip(1))
        .map(|rest| {
            rest.chars()
                .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
                .collect::<String>()
        })
        .collect()
}
