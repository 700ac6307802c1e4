//! docs/self-service.md, done as it says.

use std::process::Command;

use segl::simulator::{Simulator, SimulatorConfig};

const GUIDE: &str = include_str!("../../docs/self-service.md");

/// The fenced blocks of a language, without their indentation.
fn blocks(language: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut lines = GUIDE.lines();
    while let Some(line) = lines.next() {
        if line.trim_start() != format!("```{language}") {
            continue;
        }
        let body = lines.by_ref().take_while(|line| line.trim_start() != "```");
        let body: Vec<_> = body.map(str::trim_start).collect();
        blocks.push(body.join("\n") + "\n");
    }
    blocks
}

#[test]
fn every_command_of_the_guide_works() {
    let folder = tempfile::tempdir().unwrap();
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
            .output()
            .unwrap();
        let (stdout, stderr) = (output.stdout, String::from_utf8(output.stderr).unwrap());
        assert!(output.status.success(), "{script}{stderr}");
        String::from_utf8(stdout).unwrap()
    };
    let [sim, segl, next] = &blocks("toml")[..] else {
        panic!("three files are shown");
    };
    let scripts = blocks("sh");
    let starts = |script: &String| script.starts_with("segl simulate");
    let start = scripts.iter().position(starts).unwrap();
    for script in &scripts[..start] {
        run(script);
    }
    std::fs::write(folder.path().join("sim.toml"), sim).unwrap();
    let config = SimulatorConfig::from_file(&folder.path().join("sim.toml")).unwrap();
    let simulator = Simulator::start(config, ([127, 0, 0, 1], 0).into()).unwrap();
    let settings =
        format!("{segl}\n{next}").replace("http://127.0.0.1:7700", &simulator.urls().base);
    std::fs::write(folder.path().join("segl.toml"), settings).unwrap();

    let mut printed = String::new();
    for script in &scripts[start + 1..] {
        // The client of a later step is in the file from the start; its key is not.
        printed.push_str(&run(script));
    }
    for line in [
        "910753614-bank-2026  added",
        "910753614-bank-2027  registered",
    ] {
        assert!(
            GUIDE.contains(line) && printed.contains(line),
            "{line}: {printed}"
        );
    }
    assert_eq!(simulator.requests().self_service_changes, 4);
}
