//! The C programs of `tests/c`, which see the header and the shared library and
//! nothing else. Each runs as compiled by gcc and by clang, under valgrind, and
//! with AddressSanitizer.
#![cfg(all(feature = "capi", feature = "simulator", target_os = "linux"))]

#[path = "support/authority.rs"]
mod authority;
#[path = "support/cdylib.rs"]
mod cdylib;
#[path = "support/dpop_server.rs"]
mod dpop_server;
#[cfg(feature = "awskms")]
#[path = "support/fake_kms.rs"]
mod fake_kms;
#[cfg(feature = "redis")]
#[path = "support/redis_server.rs"]
mod redis_server;
#[allow(dead_code, reason = "each test uses its own part")]
#[path = "support/softhsm.rs"]
mod softhsm;
mod support;

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::x509::X509;
use segl::simulator::{RunningSimulator, Simulator, SimulatorConfig};
use segl::{Algorithm, Call, KeyUri, Signer, keys};
use serde_json::json;

use softhsm::{PIN, SoftHsm};

/// A program that takes longer hangs.
const TIME_LIMIT: &str = "120s";

const C11: &[&str] = &["-std=c11"];
const CXX17: &[&str] = &["-std=c++17"];
const ASAN: &[&str] = &["-std=c11", "-fsanitize=address"];
const CXX_ASAN: &[&str] = &["-std=c++17", "-fsanitize=address"];

/// A way to build and run a program.
struct Way {
    name: &'static str,
    compiler: &'static str,
    options: &'static [&'static str],
    valgrind: bool,
    rounds: u32,
}

const fn way(
    name: &'static str,
    compiler: &'static str,
    options: &'static [&'static str],
    rounds: u32,
) -> Way {
    Way {
        name,
        compiler,
        options,
        valgrind: false,
        rounds,
    }
}

const C_WAYS: &[Way] = &[
    way("gcc", "gcc", C11, 150),
    way("clang", "clang", C11, 20),
    Way {
        valgrind: true,
        ..way("valgrind", "gcc", C11, 2)
    },
    way("asan", "gcc", ASAN, 20),
];

const CXX_WAYS: &[Way] = &[
    way("g++", "g++", CXX17, 1),
    Way {
        valgrind: true,
        ..way("valgrind", "g++", CXX17, 1)
    },
    way("asan", "g++", CXX_ASAN, 1),
];

macro_rules! programs {
    ($($name:ident: $ways:ident [$($source:literal),+];)+) => {
        $(
            #[test]
            fn $name() {
                for way in $ways {
                    run(stringify!($name), &[$($source),+], way);
                }
            }
        )+

        /// Every source that a program is made of.
        const SOURCES: &[&str] = &[$($($source),+),+];
    };
}

programs! {
    lifecycle: C_WAYS ["lifecycle.c"];
    errors: C_WAYS ["errors.c"];
    misuse: C_WAYS ["misuse.c"];
    threads: C_WAYS ["threads.c"];
    free_during_use: C_WAYS ["free_during_use.c"];
    callbacks: C_WAYS ["callbacks.c"];
    log: C_WAYS ["log.c"];
    call_api: C_WAYS ["call_api.c"];
    cancel: C_WAYS ["cancel.c"];
    dpop: C_WAYS ["dpop.c"];
    exit_without_close: C_WAYS ["exit_without_close.c"];
    fork: C_WAYS ["fork.c"];
    fork_shared: SHARED_WAYS ["fork_shared.c"];
    double_include: C_WAYS ["double_include_a.c", "double_include_b.c"];
    cxx: CXX_WAYS ["cxx.cc"];
    send: C_WAYS ["send.c"];
    send_under_way: C_WAYS ["send_under_way.c"];
    tls_signer: C_WAYS ["tls_signer.c"];
    transport: C_WAYS ["transport.c"];
    transport_inside: C_WAYS ["transport_inside.c"];
    validator: C_WAYS ["validator.c"];
    panic: PANIC_WAYS ["panic.c"];
    kms: KMS_WAYS ["kms.c"];
}

#[cfg(feature = "test-hooks")]
const PANIC_WAYS: &[Way] = C_WAYS;
/// Without the feature there is no function that panics.
#[cfg(not(feature = "test-hooks"))]
const PANIC_WAYS: &[Way] = &[];

#[cfg(feature = "awskms")]
const KMS_WAYS: &[Way] = C_WAYS;
/// Without the feature there is no such key.
#[cfg(not(feature = "awskms"))]
const KMS_WAYS: &[Way] = &[];

#[cfg(feature = "redis")]
const SHARED_WAYS: &[Way] = C_WAYS;
/// Without the feature there is no store.
#[cfg(not(feature = "redis"))]
const SHARED_WAYS: &[Way] = &[];

/// The library's features: those of this test that change it.
fn features() -> String {
    let mut features = vec!["capi"];
    features.extend(cfg!(feature = "test-hooks").then_some("test-hooks"));
    features.extend(cfg!(feature = "redis").then_some("redis"));
    features.extend(cfg!(feature = "awskms").then_some("awskms"));
    features.join(" ")
}

#[test]
fn every_program_is_run_here_or_elsewhere() {
    const ELSEWHERE: &[&str] = &["interop.c", "layout.c"];
    for entry in fs::read_dir(cdylib::root().join("tests/c")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if name.ends_with(".c") || name.ends_with(".cc") {
            let name = name.as_str();
            assert!(
                SOURCES.contains(&name) || ELSEWHERE.contains(&name),
                "{name}"
            );
        }
    }
}

/// Every function of the header is called by one of the programs.
#[test]
fn the_programs_call_every_function() {
    let programs: String = SOURCES
        .iter()
        .chain(&["given.h", "check.h"])
        .map(|source| fs::read_to_string(cdylib::root().join("tests/c").join(source)).unwrap())
        .collect();
    for function in cdylib::declared_functions() {
        assert!(
            programs.contains(&format!("{function}(")),
            "nothing calls {function}"
        );
    }
}

/// What the programs are given.
struct Given {
    /// Holds the library and the programs.
    folder: PathBuf,
    hsm: SoftHsm,
    simulator: RunningSimulator,
}

fn given() -> &'static Given {
    static GIVEN: OnceLock<Given> = OnceLock::new();
    GIVEN.get_or_init(|| {
        let hsm = SoftHsm::new("c-api-tokens");
        let folder = cdylib::build("c-api-programs", &features());
        for token in ["main", "pins", "refusing"] {
            hsm.init_token(token);
        }
        hsm.generate("main", "rsa:2048", "01", "key", &[]);
        for token in ["pins", "refusing"] {
            hsm.generate(token, "EC:prime256v1", "01", "key", &[]);
        }
        write_private(&hsm.path("rsa.pem"), support::pem(&support::rsa_key()));
        write_private(&hsm.path("ec.pem"), support::pem(&support::p256_key()));
        write_private(&hsm.path("pin"), PIN);
        fs::write(folder.join("codes.inc"), codes_of_the_header()).unwrap();
        let simulator = start_simulator(&hsm);
        fs::write(hsm.path("ca.pem"), simulator.ca_pem().unwrap()).unwrap();
        fs::write(hsm.path("segl.toml"), config(&hsm, &simulator)).unwrap();
        Given {
            folder,
            hsm,
            simulator,
        }
    })
}

fn write_private(path: &Path, content: impl AsRef<[u8]>) {
    fs::write(path, content).unwrap();
    fs::set_permissions(path, Permissions::from_mode(0o600)).unwrap();
}

fn file_uri(hsm: &SoftHsm, name: &str) -> String {
    format!("file:{}", hsm.path(name).display())
}

fn hsm_uri(hsm: &SoftHsm, token: &str) -> String {
    format!(
        "pkcs11:token={token};object=key?module-path={}&pin-source=file:{}",
        softhsm::module(),
        hsm.path("pin").display()
    )
}

/// A simulator that knows the clients of [`config`] but one.
fn start_simulator(hsm: &SoftHsm) -> RunningSimulator {
    let uri: KeyUri = hsm_uri(hsm, "main").parse().unwrap();
    let in_token = keys::open(&uri, None, &Call::none()).unwrap();
    let trusted = certify(hsm, &*in_token);
    let set = |signer: &dyn Signer, alg| {
        json!({"keys": [signer.public_key().to_registration("k", alg)]}).to_string()
    };
    let config = format!(
        r#"
        [[maskinporten.clients]]
        client_id = "file"
        orgno = "910753614"
        scopes = ["a:b"]
        jwks = '{file}'
        [[maskinporten.clients]]
        client_id = "hsm"
        orgno = "910753614"
        scopes = ["a:b"]
        jwks = '{token}'
        [[dnb.clients]]
        client_id = "bank"
        scopes = ["s", "openbanking.prevalidation.norway:validate"]
        jwks = '{bank}'
        [tls]
        trusted_certificates = ["""{trusted}"""]
        "#,
        file = set(&*support::signer(&support::rsa_key()), Algorithm::RS256),
        token = set(&*in_token, Algorithm::RS256),
        bank = set(&*support::signer(&support::p256_key()), Algorithm::ES256),
    );
    let config = SimulatorConfig::from_toml(&config).unwrap();
    Simulator::start(config, ([127, 0, 0, 1], 0).into()).unwrap()
}

/// Writes a client certificate for `signer`'s key, and returns its issuer, PEM.
fn certify(hsm: &SoftHsm, signer: &dyn Signer) -> String {
    let spki = signer.public_key().to_spki_der().unwrap();
    let public = PKey::public_key_from_der(&spki).unwrap();
    let authority = authority::Authority::new("A qualified CA");
    let x509 = authority.client(&public, "bank", authority::VALID);
    fs::write(hsm.path("tls.pem"), x509.to_pem().unwrap()).unwrap();
    String::from_utf8(authority.pem()).unwrap()
}

/// The settings of a client at DNB over https, with or without its certificate.
fn dnb_over_https(given: &Given, with_certificate: bool) -> String {
    let urls = given.simulator.urls().https.as_ref().unwrap();
    let mut tls = json!({"ca_file": given.hsm.path("ca.pem")});
    if with_certificate {
        tls["certificate"] = file_uri(&given.hsm, "tls.pem").into();
    }
    json!({
        "profile": "dnb", "issuer": urls.dnb_issuer, "discovery": true, "client_id": "bank", "kid": "k",
        "scopes": ["openbanking.prevalidation.norway:validate"], "tls": tls,
    })
    .to_string()
}

fn dnb_api(given: &Given) -> String {
    let urls = given.simulator.urls().https.as_ref().unwrap();
    format!("{}/dnb/api", urls.base)
}

/// `x5t#S256` of the client certificate, as a member of JSON.
fn thumbprint(given: &Given) -> String {
    let x509 = X509::from_pem(&fs::read(given.hsm.path("tls.pem")).unwrap()).unwrap();
    let digest = x509.digest(MessageDigest::sha256()).unwrap();
    format!("\"x5t#S256\":\"{}\"", URL_SAFE_NO_PAD.encode(digest))
}

fn config(hsm: &SoftHsm, simulator: &RunningSimulator) -> String {
    let urls = simulator.urls();
    let maskinporten = |name: &str, client_id: &str, key: &str| {
        format!(
            "[clients.{name}]\nprofile = 'maskinporten'\nissuer = '{}'\nclient_id = '{client_id}'\n\
             key = '{key}'\nkid = 'k'\nscopes = ['a:b']\n",
            urls.maskinporten_issuer
        )
    };
    let rsa = file_uri(hsm, "rsa.pem");
    let dnb = format!(
        "[clients.dnb]\nprofile = 'dnb'\ntoken_endpoint = '{}'\nclient_id = 'bank'\nkey = '{}'\n\
         kid = 'k'\nscopes = ['s']\n",
        urls.dnb_token_endpoint,
        file_uri(hsm, "ec.pem"),
    );
    let two_keys = format!(
        "[clients.two_keys]\nprofile = 'maskinporten'\nissuer = '{}'\nclient_id = 'file'\nscopes = ['a:b']\n\
         [[clients.two_keys.keys]]\nkey = '{rsa}'\nkid = 'k'\n\
         [[clients.two_keys.keys]]\nkey = '{}'\nkid = 'k2'\n",
        urls.maskinporten_issuer,
        hsm_uri(hsm, "main"),
    );
    let validator = format!(
        "[validators.maskinporten]\nissuer = '{}'\nmetadata = '{}'\nscopes = ['a:b']\n",
        urls.maskinporten_issuer, urls.maskinporten_metadata
    );
    [
        two_keys,
        validator,
        maskinporten("maskinporten", "file", &rsa),
        maskinporten("refused", "nobody", &rsa),
        maskinporten("hsm", "hsm", &hsm_uri(hsm, "main")),
        dnb,
    ]
    .concat()
}

/// `{SEGL_PANIC, "PANIC"},` for each number of the header.
fn codes_of_the_header() -> String {
    let header = fs::read_to_string(cdylib::root().join("include/segl.h")).unwrap();
    let code = cdylib::without_comments(&header);
    let (_, numbers) = code.split_once("enum {").unwrap();
    let (numbers, _) = numbers.split_once("};").unwrap();
    numbers
        .split(',')
        .map(|line| line.split('=').next().unwrap().trim())
        .map(|name| format!("{{{name}, \"{}\"}},\n", &name["SEGL_".len()..]))
        .collect()
}

fn run(name: &str, sources: &[&str], way: &Way) {
    let given = given();
    let program = format!("{name}-{}", way.name);
    cdylib::compile(way.compiler, way.options, sources, &given.folder, &program);
    let tokens = given.hsm.copy(&program);
    let program = given.folder.join(program);
    // Ends the program and its children with a signal when they hang.
    let mut command = Command::new("timeout");
    command.args(["--signal=KILL", TIME_LIMIT]);
    if way.valgrind {
        assert!(
            Command::new("valgrind").arg("--version").output().is_ok(),
            "{}",
            cdylib::missing("valgrind")
        );
        // A child has not the parent's threads, and what their stacks held;
        // what leaks in the parent is asan's to find.
        let leaks = match ["fork_shared", "kms"].contains(&name) {
            true => "--leak-check=no",
            false => "--leak-check=full",
        };
        command.args([
            "valgrind",
            "--quiet",
            "--error-exitcode=99",
            leaks,
            "--show-leak-kinds=definite",
            "--errors-for-leak-kinds=definite",
        ]);
        command.arg(option_with_file("--suppressions=", "valgrind.supp"));
    }
    // What only the stacks of the parent's threads held is lost in a child.
    let threads = match way.valgrind && name == "fork" {
        true => "&threads=caller",
        false => "",
    };
    command.arg(&program);
    command
        .env(
            "LSAN_OPTIONS",
            option_with_file("print_suppressions=0:suppressions=", "lsan.supp"),
        )
        .env("SOFTHSM2_CONF", tokens)
        .env("GIVEN_ROUNDS", way.rounds.to_string())
        .env("GIVEN_CONFIG", given.hsm.path("segl.toml"))
        .env("GIVEN_API", &given.simulator.urls().api)
        .env("GIVEN_ADMIN", &given.simulator.urls().admin)
        .env("GIVEN_RSA_PEM", given.hsm.path("rsa.pem"))
        .env("GIVEN_EC_PEM", given.hsm.path("ec.pem"))
        .env("GIVEN_FILE_URI", file_uri(&given.hsm, "ec.pem"))
        .env("GIVEN_HSM_URI", hsm_uri(&given.hsm, "main") + threads)
        .env(
            "GIVEN_REFUSING_URI",
            hsm_uri(&given.hsm, "refusing") + "&fork=refuse" + threads,
        )
        .env("GIVEN_DNB", dnb_over_https(given, true))
        .env("GIVEN_DNB_BARE", dnb_over_https(given, false))
        .env("GIVEN_DNB_API", dnb_api(given))
        .env("GIVEN_DNB_THUMBPRINT", thumbprint(given))
        // Each program of several tries the wrong PIN once.
        .env(
            "GIVEN_WRONG_PIN_URI",
            hsm_uri(&given.hsm, "pins") + "&pin-count-low=try",
        );
    if name == "dpop" {
        let nonces = dpop_server::Nonces::NewAfter(3);
        let server = dpop_server::StrictServer::new(nonces, nonces);
        command.env("GIVEN_DPOP_URL", dpop_server::serve(&server));
    }
    #[cfg(feature = "awskms")]
    if name == "kms" {
        give_kms(&mut command);
    }
    #[cfg(feature = "redis")]
    let _server = (name == "fork_shared").then(|| {
        let server = redis_server::Server::start();
        let path = server.dir.path().join("segl.toml");
        fs::write(&path, shared_config(given, &server)).unwrap();
        command.env("GIVEN_CONFIG", path);
        server
    });
    cdylib::run(&mut command);
}

/// A KMS, and a container whose credentials come late and have expired then.
#[cfg(feature = "awskms")]
fn give_kms(command: &mut Command) {
    use fake_kms::{ACCESS_KEY, FakeKms, Fault, SECRET_KEY, ec};
    let fake = FakeKms::start();
    fake.add("bank", ec(openssl::nid::Nid::X9_62_PRIME256V1));
    let credentials = json!({
        "AccessKeyId": ACCESS_KEY, "SecretAccessKey": SECRET_KEY, "Expiration": "2020-01-01T00:00:00Z",
    });
    fake.page("GET", "/late", credentials.to_string());
    for _ in 0..3 {
        fake.fail("/late", Fault::Slow(std::time::Duration::from_secs(1)));
    }
    let own: Vec<_> = std::env::vars_os()
        .map(|(name, _)| name)
        .filter(|name| name.to_string_lossy().starts_with("AWS_"))
        .collect();
    for name in own {
        command.env_remove(name);
    }
    command
        .env("GIVEN_KMS_URI", fake.uri("alias/bank"))
        .env("GIVEN_KMS_CREDENTIALS", credentials.to_string())
        .env("HOME", "/nonexistent")
        .env(
            "AWS_CONTAINER_CREDENTIALS_FULL_URI",
            format!("http://127.0.0.1:{}/late", fake.port),
        );
}

/// A client whose tokens are shared.
#[cfg(feature = "redis")]
fn shared_config(given: &Given, server: &redis_server::Server) -> String {
    let shared = server.settings_json(json!({}));
    format!(
        "[clients.shared]\nprofile = 'maskinporten'\nissuer = '{}'\nclient_id = 'file'\nkey = '{}'\n\
         kid = 'k'\nscopes = ['a:b']\n\
         [clients.shared.shared_cache]\nurl = {}\nkey = {}\ntimeout_ms = {}\n",
        given.simulator.urls().maskinporten_issuer,
        file_uri(&given.hsm, "rsa.pem"),
        shared["url"],
        shared["key"],
        shared["timeout_ms"],
    )
}

fn option_with_file(option: &str, name: &str) -> String {
    let file = cdylib::root().join("tests/c").join(name);
    format!("{option}{}", file.display())
}
