//! SoftHSM tokens made on the spot, filled with other people's tools.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use segl::keys::uri::{PinPolicy, Pkcs11Uri};
use segl::{KeyUri, Secret};

/// The user PIN of every token.
pub const PIN: &str = "1234-quite-secret";
const SO_PIN: &str = "12345678";

/// A directory with SoftHSM tokens, and the configuration that points to it.
pub struct SoftHsm {
    dir: PathBuf,
}

impl SoftHsm {
    /// An empty directory called `name`, which nobody else uses, as this
    /// process's SoftHSM. Nothing of SoftHSM may have run in this process yet.
    pub fn new(name: &str) -> Self {
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        match fs::remove_dir_all(&dir) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => panic!("{error}"),
            _ => fs::create_dir_all(dir.join("tokens")).unwrap(),
        }
        let hsm = Self { dir };
        fs::write(hsm.conf(), settings(&hsm.dir.join("tokens"))).unwrap();
        set_env("SOFTHSM2_CONF", &hsm.conf());
        hsm
    }

    /// A file in the directory.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// A copy of the directory's tokens called `name`, for another program alone: SoftHSM
    /// writes a token's file at each login, and who reads it meanwhile misses the token.
    /// Returns the configuration that points to it, for `SOFTHSM2_CONF`.
    #[allow(dead_code, reason = "not every test has other programs")]
    pub fn copy(&self, name: &str) -> PathBuf {
        let dir = self.path("copies").join(name);
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir_all(&dir).unwrap();
        for token in fs::read_dir(self.path("tokens")).unwrap() {
            let token = token.unwrap().path();
            let copied = dir.join(token.file_name().unwrap());
            fs::create_dir(&copied).unwrap();
            for file in fs::read_dir(token).unwrap() {
                let file = file.unwrap().path();
                fs::copy(&file, copied.join(file.file_name().unwrap())).unwrap();
            }
        }
        let conf = dir.with_extension("conf");
        fs::write(&conf, settings(&dir)).unwrap();
        conf
    }

    /// Makes a token with a user PIN. No label may begin with another token's:
    /// `pkcs11-tool` compares no further.
    pub fn init_token(&self, token: &str) {
        self.run(
            "softhsm2-util",
            &[
                "--init-token",
                "--free",
                "--label",
                token,
                "--so-pin",
                SO_PIN,
                "--pin",
                PIN,
            ],
        );
    }

    /// Makes a key pair with `pkcs11-tool`.
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
        let login = [
            "--module",
            module(),
            "--token-label",
            token,
            "--login",
            "--pin",
            PIN,
        ];
        self.run("pkcs11-tool", &[&login, args].concat());
    }

    /// Runs a program and returns what it printed.
    pub fn run(&self, program: &str, args: &[&str]) -> String {
        let output = Command::new(program)
            .args(args)
            .env("SOFTHSM2_CONF", self.conf())
            .output()
            .unwrap_or_else(|error| panic!("{program} must be installed: {error}"));
        assert!(
            output.status.success(),
            "{program} {args:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    }

    fn conf(&self) -> PathBuf {
        self.path("softhsm2.conf")
    }
}

/// SoftHSM's configuration for tokens in `tokens`.
fn settings(tokens: &Path) -> String {
    format!(
        "directories.tokendir = {}\nobjectstore.backend = file\nlog.level = ERROR\n",
        tokens.display()
    )
}

/// SoftHSM's library.
pub fn module() -> &'static str {
    const PLACES: [&str; 3] = [
        "/usr/lib/softhsm/libsofthsm2.so",
        "/usr/lib64/pkcs11/libsofthsm2.so",
        "/opt/homebrew/lib/softhsm/libsofthsm2.so",
    ];
    PLACES
        .into_iter()
        .find(|place| Path::new(place).exists())
        .expect("SoftHSM must be installed (apt-get install softhsm2)")
}

/// `pkcs11:PATH` in SoftHSM.
pub fn uri(path: &str) -> Pkcs11Uri {
    uri_in(module(), path)
}

/// `pkcs11:PATH` in another module; the path may have a query of its own.
pub fn uri_in(module: &str, path: &str) -> Pkcs11Uri {
    let delimiter = if path.contains('?') { '&' } else { '?' };
    match KeyUri::parse(
        &format!("pkcs11:{path}{delimiter}module-path={module}"),
        PinPolicy::default(),
    ) {
        Ok(KeyUri::Pkcs11(uri)) => uri,
        other => panic!("{other:?}"),
    }
}

/// The right PIN.
pub fn pin() -> Option<Secret> {
    Some(Secret::from(PIN.as_bytes()))
}

/// Sets an environment variable for C libraries, which read it once.
#[allow(unsafe_code)]
pub fn set_env(name: &str, value: &Path) {
    // SAFETY: each test of a file takes the file's fixture first, and the fixture
    // calls this before anything else, so no other thread runs foreign code that
    // reads the environment. Rust's own readers share a lock with set_var.
    unsafe { std::env::set_var(name, value) };
}
