//! Kryoptic tokens made on the spot, filled with `pkcs11-tool`.

#[path = "package.rs"]
mod package;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::softhsm::set_env;

/// The user PIN of every token.
pub const PIN: &str = "1234-quite-secret";
const SO_PIN: &str = "12345678";

/// A directory with Kryoptic tokens, and the configuration that points to it.
pub struct Kryoptic {
    module: PathBuf,
    conf: PathBuf,
}

impl Kryoptic {
    /// Builds the module, and makes `tokens` with a user PIN in an empty directory
    /// called `name`. Nothing of Kryoptic may have run in this process yet.
    pub fn new(name: &str, tokens: &[&str]) -> Self {
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        match fs::remove_dir_all(&dir) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => panic!("{error}"),
            _ => fs::create_dir_all(&dir).unwrap(),
        }
        let kryoptic = Self {
            module: package::build("kryoptic-module", "segl_kryoptic_module"),
            conf: dir.join("kryoptic.conf"),
        };
        let slots = tokens.iter().enumerate().map(|(slot, token)| {
            let file = dir.join(format!("{token}.sql"));
            format!(
                "[[slots]]\nslot = {slot}\ndbtype = \"sqlite\"\ndbargs = \"{}\"\n",
                file.display()
            )
        });
        fs::write(&kryoptic.conf, slots.collect::<String>()).unwrap();
        set_env("KRYOPTIC_CONF", &kryoptic.conf);
        for (slot, token) in tokens.iter().enumerate() {
            let slot = slot.to_string();
            let so = ["--so-pin", SO_PIN];
            let init_token = ["--init-token", "--slot", &slot, "--label", token];
            kryoptic.run(&[&init_token[..], &so].concat());
            let login = ["--login", "--login-type", "so", "--token-label", token];
            let init_pin = ["--init-pin", "--pin", PIN];
            kryoptic.run(&[&login[..], &so, &init_pin].concat());
        }
        kryoptic
    }

    /// The module's library.
    pub fn module(&self) -> &Path {
        &self.module
    }

    /// Makes a key pair.
    pub fn generate(&self, token: &str, kind: &str, id: &str, label: &str, more: &[&str]) {
        let args = [
            "--keypairgen",
            "--key-type",
            kind,
            "--id",
            id,
            "--label",
            label,
        ];
        self.tool(token, &[&args, more].concat());
    }

    /// Runs `pkcs11-tool`, logged in to `token`.
    pub fn tool(&self, token: &str, args: &[&str]) {
        let login = ["--token-label", token, "--login", "--pin", PIN];
        self.run(&[&login, args].concat());
    }

    fn run(&self, args: &[&str]) {
        let output = Command::new("pkcs11-tool")
            .arg("--module")
            .arg(&self.module)
            .args(args)
            .env("KRYOPTIC_CONF", &self.conf)
            .output()
            .unwrap_or_else(|error| panic!("pkcs11-tool must be installed: {error}"));
        assert!(
            output.status.success(),
            "pkcs11-tool {args:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}
