//! docs/dnb.md, done as it says, from its first line to its last.

use std::process::Command;

use segl::Config;
use segl::simulator::{Simulator, SimulatorConfig};

use crate::wire::{self, Wire};

const GUIDE: &str = include_str!("../../docs/dnb.md");

/// The fenced blocks with their languages, in order, without their indentation.
fn blocks() -> Vec<(&'static str, String)> {
    let mut blocks = Vec::new();
    let mut lines = GUIDE.lines();
    while let Some(line) = lines.next() {
        let Some(language) = line.trim_start().strip_prefix("```") else {
            continue;
        };
        let body = lines.by_ref().take_while(|line| line.trim_start() != "```");
        let body: Vec<_> = body.map(str::trim_start).collect();
        blocks.push((language, body.join("\n") + "\n"));
    }
    blocks
}

#[test]
fn every_command_of_the_guide_works() {
    let folder = tempfile::tempdir().unwrap();
    let tokens = folder.path().join("tokens");
    std::fs::create_dir(&tokens).unwrap();
    let conf = folder.path().join("softhsm2.conf");
    std::fs::write(
        &conf,
        format!("directories.tokendir = {}\n", tokens.display()),
    )
    .unwrap();
    let program = std::path::Path::new(env!("CARGO_BIN_EXE_segl"));
    let path = std::env::join_paths(
        std::iter::once(program.parent().unwrap().to_owned())
            .chain(std::env::split_paths(&std::env::var_os("PATH").unwrap())),
    )
    .unwrap();
    let api = Wire::new(|seen| wire::json(200, &format!("\"{} bytes\"", seen.body.len())));
    let config = SimulatorConfig::from_toml("").unwrap().with_tls(0);
    let simulator = Simulator::start(config, ([127, 0, 0, 1], 0).into()).unwrap();
    std::fs::write(folder.path().join("ca.pem"), simulator.ca_pem().unwrap()).unwrap();
    let https = &simulator.urls().https.as_ref().unwrap().base;
    let here = |text: &str| {
        text.replace("https://127.0.0.1:7743", https)
            .replace("http://127.0.0.1:7700", &simulator.urls().base)
            .replace("https://prevalidation.api.dnb.no", &api.base)
    };
    let run = |script: &str| {
        let output = Command::new("sh")
            .args(["-e", "-c", script])
            .current_dir(folder.path())
            .env("PATH", &path)
            .env("SOFTHSM2_CONF", &conf)
            .env("PIN", "1234")
            .env("SO_PIN", "12345678")
            .output()
            .unwrap();
        let stdout = String::from_utf8(output.stdout).unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{script}{stdout}{stderr}");
        (stdout, stderr)
    };

    let (mut stages, mut tokens, mut refused) = (0, 0, false);
    let (mut taken, mut stolen) = (false, false);
    for (language, block) in blocks() {
        match language {
            "toml" if block.starts_with("# segl.toml\n") => {
                stages += 1;
                std::fs::write(folder.path().join("segl.toml"), here(&block)).unwrap();
            }
            "toml" => {
                let config = Config::from_toml(&block).unwrap();
                let bank = config.client("bank").unwrap();
                assert!(bank.has_client_certificate());
            }
            "sh" if block.starts_with("segl simulate") => {}
            "sh" => {
                let (stdout, stderr) = run(&here(&block));
                tokens += stdout.matches("\"access_token\"").count();
                refused |= stderr.contains("invalid_client") && stdout.contains("access_token");
                taken |= stdout.contains(r#""request":{"example":true}"#);
                stolen |= stdout.contains("a client certificate is needed");
                assert!(!stderr.contains("Warning"), "{stderr}");
            }
            other => panic!("a block of {other:?} is not run"),
        }
    }
    assert_eq!((stages, tokens), (5, 5));
    assert!(taken, "the API over https took the request");
    assert!(stolen, "and not the token without the certificate");
    assert!(refused, "the old key was tried, and the new one took over");
    let seen = api.seen();
    assert_eq!(seen.len(), 1);
    assert_eq!((&*seen[0].method, &*seen[0].target), ("POST", "/PATH"));
    assert!(seen[0].all("authorization")[0].starts_with("Bearer ey"));
    assert_eq!(simulator.requests().dnb_issued, 9);
}
