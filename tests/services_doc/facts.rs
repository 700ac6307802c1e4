//! What the page shows beside commands is so.

use std::fs;
use std::path::Path;

use segl::simulator::SimulatorConfig;
use segl::{Config, ErrorCode, Requirements, Validator};

use crate::page::{Block, SERVICES, blocks, folder};

const VALIDATION: &str = include_str!("../../docs/validation.md");

fn of(language: &'static str) -> impl Iterator<Item = Block> {
    blocks()
        .into_iter()
        .filter(move |block| block.language == language)
}

#[test]
fn the_files_stand_there_word_for_word() {
    let mut count = 0;
    for block in of("json") {
        let Some(name) = block.file() else { continue };
        let file = fs::read_to_string(folder().join(name)).unwrap();
        assert_eq!(block.text, file, "{name}");
        count += 1;
    }
    assert!(count > 4, "{count}");
}

/// With the client itself, where only a table of it is shown.
#[test]
fn all_settings_that_are_shown_can_be_read() {
    let mut count = 0;
    for block in of("toml") {
        let mut toml = block.text.clone();
        let tables = block.text.lines().filter_map(|line| {
            let (client, _) = line.strip_prefix("[clients.")?.split_once(['.', ']'])?;
            Some(client)
        });
        if let Some(client) = tables.into_iter().next()
            && !block.text.contains(&format!("[clients.{client}]"))
        {
            toml += &format!(
                "\n[clients.{client}]\nprofile = 'maskinporten'\nenvironment = 'test'\nclient_id = 'c'\nkey = 'file:k'\nkid = 'k'\n"
            );
        }
        if toml.contains("[validators.saldo.") {
            toml += "\n[validators.saldo]\nenvironment = 'test'\n";
        }
        let config = Config::from_toml(&toml).unwrap_or_else(|error| panic!("{error}: {toml}"));
        if toml.contains("[validators.saldo]") {
            Validator::from_config(&config, "saldo").unwrap();
        }
        count += 1;
    }
    assert!(count > 6, "{count}");
}

#[test]
fn every_requirement_that_is_shown_is_one() {
    let mut count = 0;
    for block in of("json").filter(|block| block.section == "Tokens received") {
        // But for the certificate, which is not shown whole.
        let whole = block.text.replace("-----BEGIN CERTIFICATE-----…", "");
        let error = Requirements::from_json(&whole).err();
        let is_certificate = |error: &segl::Error| error.message().contains("client_certificate");
        assert!(error.as_ref().is_none_or(is_certificate), "{error:?}");
        count += 1;
    }
    assert!(count >= 3, "{count}");
}

#[test]
fn the_example_stands_there_word_for_word() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/verify.rs");
    let source = fs::read_to_string(path).unwrap();
    let shown = source[source.find("use std::io").unwrap()..].trim_end();
    assert!(
        SERVICES.contains(shown),
        "copy examples/verify.rs to docs/services.md"
    );
}

#[test]
fn every_error_that_is_named_exists() {
    let names: Vec<_> = ErrorCode::ALL.iter().map(|code| code.name()).collect();
    let words = |text: &'static str| text.split(|c: char| !c.is_ascii_uppercase() && c != '_');
    let tokens = words(SERVICES).chain(words(VALIDATION)).filter(|text| {
        ["ACCESS_TOKEN_", "DPOP_PROOF_", "JWKS_", "API_", "BATCH_"]
            .iter()
            .any(|start| text.starts_with(start))
    });
    let mut count = 0;
    for name in tokens {
        assert!(names.contains(&name), "{name}");
        count += 1;
    }
    assert!(count > 15, "{count}");
}

/// No key is in the folder, so the simulator's configuration is not complete without them.
#[test]
fn the_folder_has_no_keys() {
    for entry in fs::read_dir(folder()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(
            !name.ends_with(".pem") && !name.ends_with(".jwks"),
            "{name}"
        );
    }
    assert!(SimulatorConfig::from_file(&folder().join("simulator.toml")).is_err());
    Config::from_file(&folder().join("segl.toml")).unwrap();
}
