//! An NSS database made on the spot, filled with NSS's own tools.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

/// The database's password.
pub const PIN: &str = "1234-quite-secret";
/// The label of the token with the keys.
pub const TOKEN: &str = "NSS Certificate DB";

/// A directory with a database.
pub struct Nss {
    dir: PathBuf,
}

impl Nss {
    /// An empty database in a directory called `name`, which nobody else uses.
    pub fn new(name: &str) -> Self {
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        match fs::remove_dir_all(&dir) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => panic!("{error}"),
            _ => fs::create_dir_all(&dir).unwrap(),
        }
        let nss = Self { dir };
        fs::write(nss.path("password"), PIN).unwrap();
        nss.run("certutil", &["-N", "-d", &nss.database(), "-f", "password"]);
        nss
    }

    /// What softokn wants in `pReserved` of `C_Initialize`, percent-encoded.
    pub fn init_reserved(&self) -> String {
        let text = format!(
            "configdir='{}' certPrefix='' keyPrefix='' secmod='secmod.db' flags=",
            self.database()
        );
        utf8_percent_encode(&text, NON_ALPHANUMERIC).to_string()
    }

    /// Imports a new key with a certificate, as it comes from a PKCS#12 file.
    /// Such a key can leave the database.
    pub fn import(&self, label: &str, genpkey: &[&str]) {
        let subject = format!("/CN={label}");
        self.run(
            "openssl",
            &[&["genpkey", "-out", "key.pem"], genpkey].concat(),
        );
        self.run(
            "openssl",
            &[
                "req",
                "-x509",
                "-new",
                "-key",
                "key.pem",
                "-subj",
                &subject,
                "-out",
                "certificate.pem",
            ],
        );
        self.run(
            "openssl",
            &[
                "pkcs12",
                "-export",
                "-inkey",
                "key.pem",
                "-in",
                "certificate.pem",
                "-name",
                label,
                "-passout",
                "pass:",
                "-out",
                "key.p12",
            ],
        );
        self.run(
            "pk12util",
            &[
                "-d",
                &self.database(),
                "-k",
                "password",
                "-i",
                "key.p12",
                "-W",
                "",
            ],
        );
    }

    /// Makes a key on P-256, with a certificate called `name`, that cannot leave
    /// the database. NSS gives such a key no label.
    pub fn generate_unextractable(&self, name: &str) {
        let noise = self.path("key.pem");
        let subject = format!("CN={name}");
        let attributes = "token,private,sensitive,unextractable";
        self.run(
            "certutil",
            &[
                "-S",
                "-d",
                &self.database(),
                "-f",
                "password",
                "-n",
                name,
                "-s",
                &subject,
                "-x",
                "-t",
                ",,",
                "-k",
                "ec",
                "-q",
                "nistp256",
                "-z",
                noise.to_str().unwrap(),
                "--keyAttrFlags",
                attributes,
            ],
        );
    }

    /// `CKA_ID` of the key called `name`, percent-encoded.
    pub fn id(&self, name: &str) -> String {
        let keys = self.run(
            "certutil",
            &["-K", "-d", &self.database(), "-f", "password"],
        );
        let line = keys
            .lines()
            .find(|line| line.ends_with(name))
            .unwrap_or_else(|| panic!("{keys}"));
        let is_id = |word: &&str| word.len() == 40;
        let id = line.split_whitespace().find(is_id).unwrap().to_uppercase();
        let octets = id.as_bytes().chunks(2);
        octets
            .map(|octet| format!("%{}", str::from_utf8(octet).unwrap()))
            .collect()
    }

    fn run(&self, program: &str, args: &[&str]) -> String {
        let output = Command::new(program)
            .args(args)
            .current_dir(&self.dir)
            .output()
            .unwrap_or_else(|error| panic!("{program} must be installed: {error}"));
        assert!(
            output.status.success(),
            "{program} {args:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    }

    fn database(&self) -> String {
        format!("sql:{}", self.dir.display())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }
}

/// softokn's library.
pub fn module() -> &'static str {
    const PLACES: [&str; 5] = [
        "/usr/lib/x86_64-linux-gnu/libsoftokn3.so",
        "/usr/lib/x86_64-linux-gnu/nss/libsoftokn3.so",
        "/usr/lib/aarch64-linux-gnu/libsoftokn3.so",
        "/usr/lib/aarch64-linux-gnu/nss/libsoftokn3.so",
        "/usr/lib64/libsoftokn3.so",
    ];
    PLACES
        .into_iter()
        .find(|place| Path::new(place).exists())
        .expect("NSS must be installed (apt-get install libnss3)")
}
