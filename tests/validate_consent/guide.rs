//! "Tokens received" in docs/services.md, done as it says.

use std::process::Command;

use segl::simulator::{Simulator, SimulatorConfig};
use segl::{Config, ErrorCode, Requirements, Validator};

const SERVICES: &str = include_str!("../../docs/services.md");
const VALIDATION: &str = include_str!("../../docs/validation.md");

fn section() -> &'static str {
    let (_, section) = SERVICES.split_once("\n## Tokens received\n").unwrap();
    section.split("\n## ").next().unwrap()
}

/// The fenced blocks of a language, in order.
fn blocks(language: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut lines = section().lines();
    while let Some(line) = lines.next() {
        let Some(found) = line.strip_prefix("```") else {
            continue;
        };
        let body: Vec<_> = lines.by_ref().take_while(|line| *line != "```").collect();
        if found == language {
            blocks.push(body.join("\n") + "\n");
        }
    }
    blocks
}

#[test]
fn every_command_works() {
    let folder = tempfile::tempdir().unwrap();
    let put = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    let program = std::path::Path::new(env!("CARGO_BIN_EXE_segl"));
    let path = std::env::join_paths(
        std::iter::once(program.parent().unwrap().to_owned())
            .chain(std::env::split_paths(&std::env::var_os("PATH").unwrap())),
    )
    .unwrap();
    let run = |script: &str| {
        let output = Command::new("sh")
            .args(["-e", "-c", script])
            .current_dir(folder.path())
            .env("PATH", &path)
            .env("NO_PROXY", "127.0.0.1")
            .output()
            .unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{script}{stderr}");
        String::from_utf8(output.stdout).unwrap()
    };
    let [_, _, sim, segl] = &blocks("toml")[..] else {
        panic!("four files are shown");
    };
    let [_, _, request, required] = &blocks("json")[..] else {
        panic!("four objects are shown");
    };
    let [keys, start, commands] = &blocks("sh")[..] else {
        panic!("three scripts are shown");
    };
    assert!(start.starts_with("segl simulate"));
    run(keys);
    put("sim.toml", sim);
    let config = SimulatorConfig::from_file(&folder.path().join("sim.toml")).unwrap();
    let simulator = Simulator::start(config, ([127, 0, 0, 1], 0).into()).unwrap();
    let here = |text: &str| text.replace("http://127.0.0.1:7700", &simulator.urls().base);
    put("segl.toml", &here(segl));
    put("request.json", request);
    put("required.json", required);
    let printed = run(&here(commands));
    let [told] = &blocks("text")[..] else {
        panic!("one answer is shown");
    };
    for line in told.lines().filter(|line| !line.starts_with("expires")) {
        assert!(printed.contains(&*here(line)), "{line}: {printed}");
    }
}

#[test]
fn every_setting_and_requirement_that_is_shown_is_one() {
    let [settings, legacy, ..] = &blocks("toml")[..] else {
        panic!("the settings are shown first");
    };
    let config = Config::from_toml(&format!("{settings}\n{legacy}")).unwrap();
    Validator::from_config(&config, "saldo").unwrap();
    for json in &blocks("json")[..2] {
        // But for the certificate, which is not shown whole.
        let whole = json.replace("-----BEGIN CERTIFICATE-----…", "");
        let error = Requirements::from_json(&whole).err();
        let is_certificate = |error: &segl::Error| error.message().contains("client_certificate");
        assert!(error.as_ref().is_none_or(is_certificate), "{error:?}");
    }
}

#[test]
fn the_example_stands_there_word_for_word() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/verify.rs");
    let source = std::fs::read_to_string(path).unwrap();
    let shown = source[source.find("use std::io").unwrap()..].trim_end();
    assert!(
        section().contains(shown),
        "copy examples/verify.rs to docs/services.md"
    );
}

#[test]
fn every_number_that_is_named_exists() {
    let names: Vec<_> = ErrorCode::ALL.iter().map(|code| code.name()).collect();
    let words = |text: &'static str| text.split(|c: char| !c.is_ascii_uppercase() && c != '_');
    let tokens = words(section()).chain(words(VALIDATION)).filter(|text| {
        ["ACCESS_TOKEN_", "DPOP_PROOF_", "JWKS_"]
            .iter()
            .any(|start| text.starts_with(start))
    });
    let mut count = 0;
    for name in tokens {
        assert!(names.contains(&name), "{name}");
        count += 1;
    }
    assert!(count > 10);
}
