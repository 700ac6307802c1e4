//! Each place where credentials are found, with the program and an environment of its
//! own, and how they are kept and renewed.

use std::fs;
use std::path::Path;
use std::process::Output;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

use openssl::nid::Nid;
use segl::clock::{Clock, SystemClock};
use segl::keys::AwsKmsSigner;
use segl::keys::awskms::{Credentials, CredentialsProvider};
use segl::{Call, Error, ErrorCode, KeyUri, Result, Secret, Signer};

use crate::fake_kms::{ACCESS_KEY, FakeKms, Fault, SECRET_KEY, ec};
use crate::{call, done, failed, given, open, segl};

/// A secret that must never be shown.
const TOKEN: &str = "IQoJb3JpZ2luX2VjEXAMPLETOKEN";

/// A fake with a key `alias/bank`, a home for its user, and credentials `ASIATEMP`
/// that need a session token.
struct World {
    fake: FakeKms,
    home: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        let fake = FakeKms::start();
        fake.add("bank", ec(Nid::X9_62_PRIME256V1));
        let temporary = (SECRET_KEY.to_owned(), Some(TOKEN.to_owned()));
        fake.state().accepted.insert("ASIATEMP".into(), temporary);
        let home = tempfile::tempdir().unwrap();
        fs::create_dir(home.path().join(".aws")).unwrap();
        Self { fake, home }
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.fake.port)
    }

    fn write(&self, name: &str, text: &str) -> String {
        let path = self.home.path().join(name);
        fs::write(&path, text).unwrap();
        path.display().to_string()
    }

    fn show(&self, uri: &str, variables: &[(&str, &str)]) -> Output {
        let url = self.url("");
        let mut all = vec![("AWS_ENDPOINT_URL", url.as_str())];
        all.extend(variables);
        let output = segl(
            self.home.path(),
            &all,
            &["--log", "info", "key", "show", uri],
        );
        let printed = format!("{output:?}");
        assert!(
            !printed.contains(SECRET_KEY) && !printed.contains(TOKEN),
            "{printed}"
        );
        output
    }

    fn opens(&self, variables: &[(&str, &str)]) {
        done(self.show("awskms:alias/bank?region=eu-north-1", variables));
        assert_eq!(self.fake.state().complaints, Vec::<String>::new());
    }

    fn fails(&self, variables: &[(&str, &str)]) -> String {
        failed(self.show("awskms:alias/bank?region=eu-north-1", variables))
    }

    /// JSON of temporary credentials, as containers and instances give them.
    fn json(&self) -> String {
        format!(
            r#"{{"Code":"Success","AccessKeyId":"ASIATEMP","SecretAccessKey":"{SECRET_KEY}","Token":"{TOKEN}","Expiration":"2099-01-01T00:00:00Z"}}"#
        )
    }

    /// XML of temporary credentials, as STS gives them.
    fn xml(&self, operation: &str) -> String {
        format!(
            "<{operation}Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><{operation}Result><Credentials>\
             <AccessKeyId>ASIATEMP</AccessKeyId><SecretAccessKey>{SECRET_KEY}</SecretAccessKey>\
             <SessionToken>{TOKEN}</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration>\
             </Credentials></{operation}Result></{operation}Response>"
        )
    }

    fn forms(&self) -> Vec<String> {
        let state = self.fake.state();
        let forms = state.seen.iter().filter(|(operation, _)| operation == "/");
        forms
            .map(|(_, form)| form.as_str().unwrap().to_owned())
            .collect()
    }
}

#[test]
fn in_the_environment() {
    let world = World::new();
    world.opens(&[
        ("AWS_ACCESS_KEY_ID", ACCESS_KEY),
        ("AWS_SECRET_ACCESS_KEY", SECRET_KEY),
    ]);
    world.opens(&[
        ("AWS_ACCESS_KEY_ID", "ASIATEMP"),
        ("AWS_SECRET_ACCESS_KEY", SECRET_KEY),
        ("AWS_SESSION_TOKEN", TOKEN),
    ]);
}

#[test]
fn in_profiles_of_the_shared_files() {
    let world = World::new();
    let keys = format!("aws_access_key_id = {ACCESS_KEY}\naws_secret_access_key={SECRET_KEY}\n");
    world.write(".aws/credentials", &format!("# keys\n[default]\n{keys}"));
    world.opens(&[]);
    world.write(
        ".aws/credentials",
        &format!("[default]\naws_access_key_id=AKIAOLD\naws_secret_access_key=x\n[bank]\n{keys}"),
    );
    world.write(
        ".aws/config",
        "[profile bank]\nregion = eu-north-1 ; near\ns3 =\n  max = 1\n",
    );
    world.opens(&[("AWS_PROFILE", "bank")]);
    // Its region too, and the URI's profile goes before the environment.
    let own = [
        ("AWS_ACCESS_KEY_ID", "AKIAOLD"),
        ("AWS_SECRET_ACCESS_KEY", "x"),
    ];
    done(world.show("awskms:alias/bank?profile=bank", &own));
    let elsewhere = world.write("elsewhere", &format!("[profile x]\n{keys}"));
    world.opens(&[("AWS_PROFILE", "x"), ("AWS_CONFIG_FILE", &elsewhere)]);
    let error = failed(world.show("awskms:alias/bank?region=eu-north-1&profile=none", &[]));
    assert!(
        error.contains("KMS_CREDENTIALS") && error.contains("\"none\""),
        "{error}"
    );
}

#[test]
fn by_a_role_of_another_profile() {
    let world = World::new();
    world.write(
        ".aws/config",
        &format!(
            "[profile base]\naws_access_key_id={ACCESS_KEY}\naws_secret_access_key={SECRET_KEY}\n\
             [profile role]\nrole_arn=arn:aws:iam::111122223333:role/signer\nsource_profile=base\n\
             external_id=a&b\nrole_session_name=bank\nduration_seconds=900\n\
             [profile one]\nrole_arn=r\nsource_profile=two\n[profile two]\nrole_arn=r\nsource_profile=one\n\
             [profile mfa]\nrole_arn=r\nsource_profile=base\nmfa_serial=x\n"
        ),
    );
    let wanted = vec![("signed-for", "sts".to_owned())];
    world
        .fake
        .page_for("POST", "/", world.xml("AssumeRole"), wanted);
    world.opens(&[("AWS_PROFILE", "role")]);
    let form = &world.forms()[0];
    for part in [
        "Action=AssumeRole&",
        "Version=2011-06-15",
        "RoleArn=arn%3Aaws%3Aiam%3A%3A111122223333%3Arole%2Fsigner",
        "RoleSessionName=bank",
        "ExternalId=a%26b",
        "DurationSeconds=900",
    ] {
        assert!(form.contains(part), "{part}: {form}");
    }
    assert!(world.fails(&[("AWS_PROFILE", "one")]).contains("circle"));
    assert!(world.fails(&[("AWS_PROFILE", "mfa")]).contains("MFA"));
}

#[test]
fn by_a_web_identity() {
    let world = World::new();
    let token_file = world.write("token", "eyJhbGciOiJub25lIn0.e30.\n");
    let variables = [
        ("AWS_WEB_IDENTITY_TOKEN_FILE", token_file.as_str()),
        ("AWS_ROLE_ARN", "arn:aws:iam::111122223333:role/pod"),
        ("AWS_ROLE_SESSION_NAME", "pod"),
    ];
    world
        .fake
        .page("POST", "/", world.xml("AssumeRoleWithWebIdentity"));
    world.opens(&variables);
    let form = &world.forms()[0];
    assert!(form.contains("Action=AssumeRoleWithWebIdentity&"), "{form}");
    assert!(form.contains("WebIdentityToken=eyJhbGciOiJub25lIn0.e30.") && !form.contains("%0A"));
    world.fake.page("POST", "/", "<Response/>");
    assert!(world.fails(&variables).contains("has no \"Credentials\""));
    world.fake.page("POST", "/", "{}");
    assert!(world.fails(&variables).contains("is not XML"));
    let refused = "<ErrorResponse><Error><Type>Sender</Type><Code>InvalidIdentityToken</Code>\
                   <Message>No OpenIDConnect provider</Message></Error><RequestId>42</RequestId></ErrorResponse>";
    world.fake.page("POST", "/", refused);
    world.fake.state().pages.get_mut("POST /").unwrap().status = 400;
    let error = world.fails(&variables);
    for part in [
        "KMS_CREDENTIALS",
        "InvalidIdentityToken",
        "No OpenIDConnect provider",
        "request id 42",
    ] {
        assert!(error.contains(part), "{part}: {error}");
    }
}

#[test]
fn of_a_container() {
    let world = World::new();
    let wanted = vec![("authorization", "Bearer pod".to_owned())];
    world.fake.page_for("GET", "/creds", world.json(), wanted);
    let url = world.url("/creds");
    let full = ("AWS_CONTAINER_CREDENTIALS_FULL_URI", url.as_str());
    world.opens(&[full, ("AWS_CONTAINER_AUTHORIZATION_TOKEN", "Bearer pod")]);
    let file = world.write("token", "Bearer pod\n");
    let both = ("AWS_CONTAINER_AUTHORIZATION_TOKEN", "Bearer old");
    world.opens(&[
        full,
        both,
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", &file),
    ]);
    assert!(world.fails(&[full]).contains("HTTP status 401"));
    let split = ("AWS_CONTAINER_AUTHORIZATION_TOKEN", "a\r\nX: b");
    assert!(world.fails(&[full, split]).contains("line break"));
    for url in [
        "http://192.0.2.1/creds",
        "http://169.254.1.1/",
        "http://169.254.170.2@192.0.2.1/",
        "http://user:word@169.254.170.2/",
    ] {
        let error = world.fails(&[("AWS_CONTAINER_CREDENTIALS_FULL_URI", url)]);
        assert!(
            error.contains("AWS_CONTAINER_CREDENTIALS_FULL_URI"),
            "{error}"
        );
    }
}

#[test]
fn of_an_instance() {
    const ROLES: &str = "/latest/meta-data/iam/security-credentials/";
    let world = World::new();
    let ttl = ("x-aws-ec2-metadata-token-ttl-seconds", "21600".to_owned());
    world
        .fake
        .page_for("PUT", "/latest/api/token", "TOKEN==", vec![ttl]);
    let wanted = vec![("x-aws-ec2-metadata-token", "TOKEN==".to_owned())];
    world
        .fake
        .page_for("GET", ROLES, "signer\n", wanted.clone());
    world
        .fake
        .page_for("GET", &format!("{ROLES}signer"), world.json(), wanted);
    let url = world.url("/");
    let at = ("AWS_EC2_METADATA_SERVICE_ENDPOINT", url.as_str());
    let on = ("AWS_EC2_METADATA_DISABLED", "false");
    world.opens(&[at, on]);
    let error = world.fails(&[at, ("AWS_EC2_METADATA_DISABLED", "true")]);
    assert!(error.contains("no AWS credentials were found"), "{error}");
    let error = world.fails(&[
        ("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://192.0.2.1"),
        on,
    ]);
    assert!(
        error.contains("AWS_EC2_METADATA_SERVICE_ENDPOINT"),
        "{error}"
    );
    // Nothing there: no instance, so nothing was found.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let gone = format!("http://{}", free.local_addr().unwrap());
    drop(free);
    let error = world.fails(&[("AWS_EC2_METADATA_SERVICE_ENDPOINT", &gone), on]);
    // All places, and what the last one said.
    for part in [
        "no AWS credentials were found",
        "AWS_ACCESS_KEY_ID",
        "~/.aws",
        "container",
        &gone,
    ] {
        assert!(error.contains(part), "{part}: {error}");
    }
    // One that is busy is asked again.
    for path in ["/latest/api/token", ROLES] {
        world.fake.fail(path, Fault::Refuse(503, "", ""));
        world.opens(&[at, on]);
        assert!(world.fake.state().faults[path].is_empty());
    }
}

#[test]
fn by_a_command_where_commands_are_allowed() {
    let world = World::new();
    let json = world.json().replace("\"Token\"", "\"SessionToken\"");
    let file = world.write("printed.json", &json);
    let with = |command: &str| {
        let config = format!("[default]\ncredential_process = {command}\n");
        world.write(".aws/config", &config)
    };
    with(&format!("cat '{file}'"));
    let error = world.fails(&[]);
    assert!(
        error.contains("PIN_SOURCE") && error.contains("not allowed"),
        "{error}"
    );
    let config = format!(
        "[security]\nallow_pin_command = true\n[clients.c]\nprofile = \"generic\"\n\
         issuer = \"https://issuer.example/\"\ntoken_endpoint = \"https://issuer.example/token\"\n\
         client_id = \"c\"\nkid = \"k\"\nkey = \"{}\"\n",
        world.fake.uri("alias/bank")
    );
    world.write("segl.toml", &config);
    let assert = |timeout: &str| {
        let arguments = ["assert", "c", "--timeout", timeout];
        segl(world.home.path(), &[], &arguments)
    };
    done(assert("60"));
    for (command, problem) in [
        ("echo '{}'", "AccessKeyId"),
        ("exit 3", "exit status: 3"),
        ("head -c 70000 /dev/zero", "more than"),
        ("echo hunter2 >&2; echo hunter2", "not a JSON object"),
    ] {
        with(command);
        let error = failed(assert("60"));
        assert!(
            error.contains("KMS_CREDENTIALS") && error.contains(problem),
            "{error}"
        );
        assert!(!error.contains("hunter2"), "{error}");
    }
    // One that hangs, with a child that hangs too, is ended with the call.
    let pid = world.home.path().join("pid");
    with(&format!("sleep 300 & echo $! > {}; wait", pid.display()));
    let begin = Instant::now();
    let error = failed(assert("2"));
    assert!(
        error.contains("TIMEOUT") && error.contains("credential_process"),
        "{error}"
    );
    assert!(begin.elapsed() < Duration::from_secs(60));
    let child = fs::read_to_string(pid).unwrap();
    let process = Path::new("/proc").join(child.trim());
    let until = Instant::now() + Duration::from_secs(30);
    while is_running(&process) {
        assert!(
            Instant::now() < until,
            "the command's child {child} lives on"
        );
        thread::sleep(Duration::from_millis(20));
    }
}

fn is_running(process: &Path) -> bool {
    let status = fs::read_to_string(process.join("stat")).unwrap_or_default();
    !status.is_empty() && !status.contains(") Z")
}

#[test]
fn single_sign_on_is_refused_with_what_helps() {
    let world = World::new();
    world.write(
        ".aws/config",
        "[default]\nsso_session = my\nsso_account_id = 1\n",
    );
    let error = world.fails(&[]);
    assert!(
        error.contains("aws sso login") && error.contains("export-credentials"),
        "{error}"
    );
}

#[test]
fn nothing_found_names_the_places_and_no_region_how_to_set_one() {
    let world = World::new();
    let error = world.fails(&[]);
    assert!(
        error.contains("KMS_CREDENTIALS") && error.contains("AWS_ACCESS_KEY_ID"),
        "{error}"
    );
    let error = failed(world.show("awskms:alias/bank", &[]));
    assert!(
        error.contains("KMS_REGION") && error.contains("AWS_REGION"),
        "{error}"
    );
    let error = failed(world.show("awskms:alias/bank", &[("AWS_REGION", "x.example/")]));
    assert!(error.contains("KMS_REGION"), "{error}");
}

#[test]
fn given_as_json_beside_the_uri() {
    let world = World::new();
    let uri: KeyUri = world.fake.uri("alias/bank").parse().unwrap();
    let secret = Secret::new(world.json().into_bytes());
    segl::keys::open(&uri, Some(secret), &call()).unwrap();
    let error = segl::keys::open(&uri, Some(Secret::from(&b"1234"[..])), &call()).unwrap_err();
    assert_eq!(error.code(), ErrorCode::KmsCredentials);
    assert!(!format!("{error:?}").contains("1234"));
    assert!(!format!("{:?}", given()).contains(SECRET_KEY));
}

#[test]
fn expired_ones_are_read_again_once() {
    let fake = FakeKms::start();
    fake.add("bank", ec(Nid::X9_62_PRIME256V1));
    let provider = Arc::new(Counting::default());
    let signer = open_by(&fake, &provider).unwrap();
    assert_eq!(provider.asked(), 1);
    fake.fail(
        "Sign",
        Fault::Refuse(400, "ExpiredTokenException", "expired"),
    );
    signer.probe(&call()).unwrap();
    assert_eq!(provider.asked(), 2);
    for _ in 0..2 {
        fake.fail(
            "Sign",
            Fault::Refuse(400, "ExpiredTokenException", "expired"),
        );
    }
    let error = signer.probe(&call()).unwrap_err();
    assert_eq!(error.code(), ErrorCode::KmsCredentials);
    assert!(error.message().contains("have expired"));
}

#[test]
fn one_caller_asks_and_all_use_the_answer() {
    let fake = FakeKms::start();
    fake.add("bank", ec(Nid::X9_62_PRIME256V1));
    let provider = Arc::new(Counting {
        slow: Duration::from_millis(300),
        expires_in: Some(3600),
        ..Counting::default()
    });
    let signer = open_by(&fake, &provider).unwrap();
    // All eight find that AWS does not take them any more, at about the same time.
    for _ in 0..8 {
        fake.fail(
            "Sign",
            Fault::Refuse(400, "ExpiredTokenException", "expired"),
        );
    }
    let barrier = Barrier::new(8);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                barrier.wait();
                let _ = signer.probe(&call());
            });
        }
    });
    assert!(provider.asked() < 8, "{} asked", provider.asked());
    assert_eq!(provider.at_once.load(Ordering::SeqCst), 1, "at once");
}

#[test]
fn those_about_to_expire_are_renewed_while_they_still_serve() {
    let fake = FakeKms::start();
    fake.add("bank", ec(Nid::X9_62_PRIME256V1));
    let provider = Arc::new(Counting {
        expires_in: Some(120),
        fails_after: 1,
        ..Counting::default()
    });
    let signer = open_by(&fake, &provider).unwrap();
    // Renewing fails, and the old ones are good for two minutes yet.
    for _ in 0..3 {
        signer.probe(&call()).unwrap();
    }
    assert_eq!(
        provider.asked(),
        2,
        "a failed renewal is left alone for a while"
    );
    let provider = Arc::new(Counting {
        expires_in: Some(5),
        fails_after: 1,
        ..Counting::default()
    });
    let signer = open_by(&fake, &provider).unwrap();
    let error = signer.probe(&call()).unwrap_err();
    assert!(error.message().contains("the vault is closed"), "{error}");
}

#[test]
fn refused_keys_say_so() {
    let fake = FakeKms::start();
    fake.add("bank", ec(Nid::X9_62_PRIME256V1));
    open(&fake.uri("alias/bank")).unwrap();
    fake.state().accepted.clear();
    let error = open(&fake.uri("alias/bank")).unwrap_err();
    assert_eq!(error.code(), ErrorCode::KmsCredentials);
    let other = (SECRET_KEY.replace('w', "v"), None);
    fake.state().accepted.insert(ACCESS_KEY.into(), other);
    let error = open(&fake.uri("alias/bank")).unwrap_err();
    assert_eq!(error.code(), ErrorCode::KmsCredentials);
    assert!(error.message().contains("secret key"), "{error}");
}

fn open_by(fake: &FakeKms, provider: &Arc<Counting>) -> Result<AwsKmsSigner> {
    let KeyUri::AwsKms(uri) = fake.uri("alias/bank").parse()? else {
        panic!();
    };
    let provider = Arc::clone(provider) as Arc<dyn CredentialsProvider>;
    AwsKmsSigner::open_with(&uri, provider, &call())
}

/// A program's own source of credentials.
#[derive(Debug)]
struct Counting {
    asked: AtomicUsize,
    busy: AtomicUsize,
    at_once: AtomicUsize,
    slow: Duration,
    expires_in: Option<i64>,
    fails_after: usize,
}

impl Default for Counting {
    fn default() -> Self {
        Self {
            asked: AtomicUsize::new(0),
            busy: AtomicUsize::new(0),
            at_once: AtomicUsize::new(0),
            slow: Duration::ZERO,
            expires_in: None,
            fails_after: usize::MAX,
        }
    }
}

impl Counting {
    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

impl CredentialsProvider for Counting {
    fn credentials(&self, _: &Call) -> Result<Credentials> {
        let busy = self.busy.fetch_add(1, Ordering::SeqCst) + 1;
        self.at_once.fetch_max(busy, Ordering::SeqCst);
        thread::sleep(self.slow);
        self.busy.fetch_sub(1, Ordering::SeqCst);
        if self.asked.fetch_add(1, Ordering::SeqCst) >= self.fails_after {
            return Err(Error::new(ErrorCode::CallbackFailed, "the vault is closed"));
        }
        Ok(match self.expires_in {
            Some(seconds) => given().expiring_at(SystemClock.now().plus(seconds)),
            None => given(),
        })
    }
}

#[test]
fn sts_answers_that_mean_harm_are_refused() {
    let world = World::new();
    let token_file = world.write("token", "t");
    let variables = [
        ("AWS_WEB_IDENTITY_TOKEN_FILE", token_file.as_str()),
        ("AWS_ROLE_ARN", "arn:aws:iam::111122223333:role/pod"),
    ];
    let xml = world.xml("AssumeRoleWithWebIdentity");
    let with_entity = format!(
        "<!DOCTYPE x [<!ENTITY key SYSTEM \"file:///etc/passwd\">]>{}",
        xml.replace("ASIATEMP", "&key;")
    );
    let mut laughs = "<!DOCTYPE x [<!ENTITY e0 \"ha\">".to_owned();
    for level in 1..30 {
        let entity = format!("&e{};", level - 1).repeat(10);
        laughs.push_str(&format!("<!ENTITY e{level} \"{entity}\">"));
    }
    laughs.push_str(&format!("]>{}", xml.replace("ASIATEMP", "&e29;")));
    let deep = "<a>".repeat(200_000);
    let huge = xml.replace("ASIATEMP", &"A".repeat(2 << 20));
    for (body, problem) in [
        (with_entity, "is not XML"),
        (laughs, "is not XML"),
        (deep, "is not XML"),
        (huge, "larger than"),
    ] {
        world.fake.page("POST", "/", body);
        let error = world.fails(&variables);
        assert!(error.contains(problem), "{problem}: {error}");
    }
    let late = "<ErrorResponse><Error><Code>SignatureDoesNotMatch</Code><Message>Signature expired: x is now \
                earlier than y</Message></Error></ErrorResponse>";
    world.fake.page("POST", "/", late);
    world.fake.state().pages.get_mut("POST /").unwrap().status = 403;
    let error = world.fails(&variables);
    assert!(
        error.contains("KMS_CLOCK") && error.contains("NTP"),
        "{error}"
    );
}

#[test]
fn redirects_are_not_followed_and_proxies_not_asked() {
    let world = World::new();
    world.fake.page("GET", "/creds", world.json());
    world.fake.fail("/moved", Fault::Moved(world.url("/creds")));
    let moved = world.url("/moved");
    let error = world.fails(&[("AWS_CONTAINER_CREDENTIALS_FULL_URI", &moved)]);
    assert!(error.contains("HTTP status 307"), "{error}");
    assert_eq!(world.fake.count("/creds"), 0);
    // The fake would take the request of a proxy's client, or its CONNECT.
    let before = world.fake.state().seen.len();
    let proxy = world.url("");
    let error = world.fails(&[
        ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/creds"),
        ("HTTP_PROXY", &proxy),
        ("http_proxy", &proxy),
        ("ALL_PROXY", &proxy),
        ("all_proxy", &proxy),
    ]);
    assert!(error.contains("169.254.170.2/v2/creds"), "{error}");
    assert_eq!(world.fake.state().seen.len(), before);
}

#[test]
fn the_files_are_read_again_when_aws_refuses_what_they_held() {
    let world = World::new();
    let keys = |id: &str| {
        format!("[default]\naws_access_key_id={id}\naws_secret_access_key={SECRET_KEY}\n")
    };
    world.write(".aws/credentials", &keys(ACCESS_KEY));
    let program = std::process::Command::new(env!("CARGO_BIN_EXE_segl"))
        .args(["key", "health", "--watch", "1", "--count", "4"])
        .arg(world.fake.uri("alias/bank"))
        .env_clear()
        .env("HOME", world.home.path())
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let until = Instant::now() + Duration::from_secs(30);
    while world.fake.count("Sign") == 0 {
        assert!(Instant::now() < until);
        thread::sleep(Duration::from_millis(10));
    }
    {
        world.write(".aws/credentials", &keys("AKIANEW"));
        let mut state = world.fake.state();
        let new = (SECRET_KEY.to_owned(), None);
        state.accepted.remove(ACCESS_KEY);
        state.accepted.insert("AKIANEW".into(), new);
    }
    done(program.wait_with_output().unwrap());
    assert_eq!(world.fake.state().complaints, ["key"]);
}

#[test]
fn an_endpoint_of_the_environment_does_not_take_the_place_of_a_fips_one() {
    let world = World::new();
    let url = world.url("");
    let uri = "awskms:alias/bank?region=us-east-1&fips=true";
    let error = failed(world.show(uri, &[("AWS_ENDPOINT_URL_KMS", &url)]));
    assert!(
        error.contains("URL") && error.contains("AWS_ENDPOINT_URL_KMS") && error.contains("fips"),
        "{error}"
    );
}

#[test]
fn eight_callers_wait_for_one_answer_and_share_its_failure() {
    let fake = FakeKms::start();
    fake.add("bank", ec(Nid::X9_62_PRIME256V1));
    let provider = Arc::new(Counting {
        slow: Duration::from_millis(500),
        expires_in: Some(20),
        fails_after: 1,
        ..Counting::default()
    });
    let signer = open_by(&fake, &provider).unwrap();
    let barrier = Barrier::new(8);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                barrier.wait();
                let error = signer.probe(&call()).unwrap_err();
                assert!(error.message().contains("the vault is closed"), "{error}");
            });
        }
    });
    assert_eq!(provider.at_once.load(Ordering::SeqCst), 1);
    assert!(provider.asked() < 8, "{} asked", provider.asked());
    assert_eq!(fake.count("Sign"), 0, "with what may expire on its way");
}
