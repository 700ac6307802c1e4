//! AWS as far as segl asks it: KMS, STS, the metadata of an instance and of a
//! container, on one port of loopback. It checks every signature of a request
//! by a computation of its own.
#![allow(dead_code, reason = "each test uses its own part")]

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::pkey_ctx::PkeyCtx;
use openssl::rsa::{Padding, Rsa};
use openssl::sha::sha256;
use openssl::sign::{RsaPssSaltlen, Signer};
use serde_json::{Value, json};

pub const REGION: &str = "eu-north-1";
pub const ACCESS_KEY: &str = "AKIDEXAMPLE";
pub const SECRET_KEY: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

pub struct FakeKms {
    pub port: u16,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
pub struct State {
    /// By id.
    pub keys: BTreeMap<String, Key>,
    /// Alias, with `alias/`, and the id it leads to.
    pub aliases: BTreeMap<String, String>,
    /// Access key id, secret and session token.
    pub accepted: HashMap<String, (String, Option<String>)>,
    /// What the next requests of an operation get in the place of an answer.
    pub faults: HashMap<String, VecDeque<Fault>>,
    /// Operation and parameters of what was asked, in order.
    pub seen: Vec<(String, Value)>,
    /// Why a request was refused by this fake itself.
    pub complaints: Vec<String>,
    /// Seconds that this fake's clock is ahead.
    pub clock_ahead: i64,
    /// What the other paths answer: by method and path.
    pub pages: HashMap<String, Page>,
    next_id: u64,
}

pub struct Key {
    pub pair: PKey<Private>,
    pub algorithms: Vec<&'static str>,
    pub usage: &'static str,
    pub state: &'static str,
    pub region: String,
    pub tags: Value,
    pub multi_region: bool,
}

/// Something of a path that is not KMS.
#[derive(Clone)]
pub struct Page {
    pub status: u16,
    pub body: String,
    /// Headers that the request must have.
    pub wanted: Vec<(&'static str, String)>,
}

#[derive(Clone)]
pub enum Fault {
    /// HTTP status, `__type` and message.
    Refuse(u16, &'static str, &'static str),
    /// An answer with this body and status 200.
    Body(String),
    /// The connection ends in the middle of the answer.
    Cut,
    /// The answer comes this late.
    Slow(Duration),
    /// A refusal for too many requests, with so many seconds of `Retry-After`.
    Throttle(u32),
    /// A redirect to this URL.
    Moved(String),
    /// The signature is DER with a byte too many.
    Trailing,
    /// The signature is of another message.
    Wrong,
}

impl FakeKms {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(Mutex::new(State::default()));
        let own = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let state = Arc::clone(&own);
                thread::spawn(move || serve(stream, &state));
            }
        });
        let fake = Self { port, state };
        fake.state()
            .accepted
            .insert(ACCESS_KEY.into(), (SECRET_KEY.into(), None));
        fake
    }

    pub fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// The URI of the key that `name` names.
    pub fn uri(&self, name: &str) -> String {
        format!(
            "awskms:{name}?region={REGION}&endpoint=http://127.0.0.1:{}/",
            self.port
        )
    }

    /// Adds a key and its alias, and returns its id.
    pub fn add(&self, alias: &str, pair: PKey<Private>) -> String {
        let mut state = self.state();
        let id = state.new_id(false);
        state.keys.insert(id.clone(), Key::new(pair, REGION));
        state.aliases.insert(format!("alias/{alias}"), id.clone());
        id
    }

    pub fn fail(&self, operation: &str, fault: Fault) {
        let mut state = self.state();
        let faults = state.faults.entry(operation.into()).or_default();
        faults.push_back(fault);
    }

    pub fn page(&self, method: &str, path: &str, body: impl Into<String>) {
        self.page_for(method, path, body, Vec::new());
    }

    pub fn page_for(
        &self,
        method: &str,
        path: &str,
        body: impl Into<String>,
        wanted: Vec<(&'static str, String)>,
    ) {
        let page = Page {
            status: 200,
            body: body.into(),
            wanted,
        };
        self.state().pages.insert(format!("{method} {path}"), page);
    }

    /// How often the operation was asked for.
    pub fn count(&self, operation: &str) -> usize {
        let state = self.state();
        state.seen.iter().filter(|(o, _)| o == operation).count()
    }
}

impl State {
    fn new_id(&mut self, multi_region: bool) -> String {
        self.next_id += 1;
        match multi_region {
            true => format!("mrk-{:032x}", self.next_id),
            false => format!("1234abcd-12ab-34cd-56ef-{:012x}", self.next_id),
        }
    }

    fn id_of(&self, name: &str) -> Option<String> {
        let name = name.rsplit_once(":key/").map_or(name, |(_, id)| id);
        let name = match name.find(":alias/") {
            Some(at) => &name[at + 1..],
            None => name,
        };
        let id = self.aliases.get(name).map_or(name, String::as_str);
        self.keys.contains_key(id).then(|| id.to_owned())
    }
}

impl Key {
    pub fn new(pair: PKey<Private>, region: &str) -> Self {
        let algorithms = match pair.ec_key() {
            Ok(ec) if ec.group().curve_name() == Some(Nid::SECP384R1) => vec!["ECDSA_SHA_384"],
            Ok(_) => vec!["ECDSA_SHA_256"],
            Err(_) => vec![
                "RSASSA_PSS_SHA_256",
                "RSASSA_PSS_SHA_384",
                "RSASSA_PSS_SHA_512",
                "RSASSA_PKCS1_V1_5_SHA_256",
                "RSASSA_PKCS1_V1_5_SHA_384",
                "RSASSA_PKCS1_V1_5_SHA_512",
            ],
        };
        Self {
            pair,
            algorithms,
            usage: "SIGN_VERIFY",
            state: "Enabled",
            region: region.into(),
            tags: Value::Null,
            multi_region: false,
        }
    }
}

pub fn arn(id: &str) -> String {
    format!("arn:aws:kms:{REGION}:111122223333:key/{id}")
}

pub fn ec(curve: Nid) -> PKey<Private> {
    let group = EcGroup::from_curve_name(curve).unwrap();
    PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap()
}

pub fn rsa() -> PKey<Private> {
    PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap()
}

struct Asked {
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Asked {
    fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }
}

struct Answer {
    status: u16,
    body: String,
}

fn serve(stream: TcpStream, state: &Mutex<State>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let Some(asked) = read(&mut reader) else {
        return;
    };
    let operation = asked
        .header("x-amz-target")
        .and_then(|target| target.strip_prefix("TrentService."))
        .map(str::to_owned)
        .unwrap_or_else(|| asked.path.clone());
    let fault = {
        let mut state = state.lock().unwrap();
        let parameters = serde_json::from_slice(&asked.body)
            .unwrap_or_else(|_| json!(String::from_utf8_lossy(&asked.body)));
        state.seen.push((operation.clone(), parameters));
        state
            .faults
            .get_mut(&operation)
            .and_then(VecDeque::pop_front)
    };
    if let Some(Fault::Slow(time)) = &fault {
        thread::sleep(*time);
    }
    let answer = match &fault {
        Some(Fault::Refuse(status, kind, message)) => refuse(*status, kind, message),
        Some(Fault::Throttle(_)) => refuse(400, "ThrottlingException", "slow down"),
        Some(Fault::Moved(_)) => Answer {
            status: 307,
            body: String::new(),
        },
        Some(Fault::Body(body)) => Answer {
            status: 200,
            body: body.clone(),
        },
        _ => answer(
            &asked,
            &operation,
            fault.as_ref(),
            &mut state.lock().unwrap(),
        ),
    };
    let ahead = state.lock().unwrap().clock_ahead;
    let date = SystemTime::now() + Duration::from_secs(ahead.unsigned_abs());
    let more = match &fault {
        Some(Fault::Throttle(seconds)) => format!("Retry-After: {seconds}\r\n"),
        Some(Fault::Moved(url)) => format!("Location: {url}\r\n"),
        _ => String::new(),
    };
    let mut text = format!(
        "HTTP/1.1 {} x\r\n{more}Content-Type: application/x-amz-json-1.1\r\nDate: {}\r\n\
         x-amzn-RequestId: 0e1f2d3c-4b5a-6978-8796-a5b4c3d2e1f0\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{}",
        answer.status,
        httpdate::fmt_http_date(date),
        answer.body.len(),
        answer.body
    );
    if matches!(fault, Some(Fault::Cut)) {
        text.truncate(text.len() - 5);
    }
    let mut stream = stream;
    let _ = stream.write_all(text.as_bytes());
}

fn read(reader: &mut BufReader<TcpStream>) -> Option<Asked> {
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split(' ');
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else {
            break;
        };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let mut asked = Asked {
        method,
        path,
        headers,
        body: Vec::new(),
    };
    let len = asked.header("content-length").unwrap_or("0").parse().ok()?;
    asked.body = vec![0; len];
    reader.read_exact(&mut asked.body).ok()?;
    Some(asked)
}

fn refuse(status: u16, kind: &str, message: &str) -> Answer {
    let kind = format!("com.amazonaws.kms#{kind}");
    let body = json!({ "__type": kind, "message": message }).to_string();
    Answer { status, body }
}

fn answer(asked: &Asked, operation: &str, fault: Option<&Fault>, state: &mut State) -> Answer {
    if asked.header("x-amz-target").is_none() {
        return page(asked, state);
    }
    if let Err(complaint) = check_signature(asked, "kms", state) {
        state.complaints.push(complaint.clone());
        return match complaint.as_str() {
            "time" => refuse(
                403,
                "InvalidSignatureException",
                "Signature expired: 20150830T123600Z is now earlier than 20150830T124100Z",
            ),
            "key" => refuse(
                400,
                "UnrecognizedClientException",
                "The security token included in the request is invalid.",
            ),
            other => refuse(403, "InvalidSignatureException", other),
        };
    }
    if asked.header("content-type") != Some("application/x-amz-json-1.1") {
        return refuse(400, "SerializationException", "content type");
    }
    let asked: Value = serde_json::from_slice(&asked.body).unwrap();
    operate(operation, &asked, fault, state)
        .map(|body| Answer {
            status: 200,
            body: body.to_string(),
        })
        .unwrap_or_else(|refused| refused)
}

fn page(asked: &Asked, state: &mut State) -> Answer {
    let page = state
        .pages
        .get(&format!("{} {}", asked.method, asked.path))
        .cloned();
    let Some(page) = page else {
        return Answer {
            status: 404,
            body: String::new(),
        };
    };
    for (name, value) in &page.wanted {
        if *name == "signed-for" {
            if let Err(complaint) = check_signature(asked, value, state) {
                state.complaints.push(complaint);
                return Answer {
                    status: 403,
                    body: String::new(),
                };
            }
        } else if asked.header(name) != Some(value.as_str()) {
            return Answer {
                status: 401,
                body: String::new(),
            };
        }
    }
    Answer {
        status: page.status,
        body: page.body,
    }
}

fn operate(
    operation: &str,
    asked: &Value,
    fault: Option<&Fault>,
    state: &mut State,
) -> Result<Value, Answer> {
    match operation {
        "CreateKey" => {
            assert_eq!(asked["KeyUsage"], "SIGN_VERIFY");
            let pair = match asked["KeySpec"].as_str().unwrap() {
                "ECC_NIST_P256" => ec(Nid::X9_62_PRIME256V1),
                "ECC_NIST_P384" => ec(Nid::SECP384R1),
                "RSA_2048" => rsa(),
                other => panic!("{other}"),
            };
            let multi_region = asked["MultiRegion"] == true;
            let id = state.new_id(multi_region);
            let mut key = Key::new(pair, REGION);
            key.tags = asked["Tags"].clone();
            key.multi_region = multi_region;
            state.keys.insert(id.clone(), key);
            Ok(json!({ "KeyMetadata": { "KeyId": id, "Arn": arn(&id), "KeyState": "Enabled" } }))
        }
        "CreateAlias" => {
            let alias = asked["AliasName"].as_str().unwrap();
            if state.aliases.contains_key(alias) {
                return Err(refuse(400, "AlreadyExistsException", "An alias exists"));
            }
            let id = asked["TargetKeyId"].as_str().unwrap();
            state.aliases.insert(alias.into(), id.into());
            Ok(json!({}))
        }
        _ => {
            let name = asked["KeyId"].as_str().unwrap();
            let Some(id) = state.id_of(name) else {
                return Err(refuse(
                    400,
                    "NotFoundException",
                    &format!("Alias {name} is not found."),
                ));
            };
            let key = &state.keys[&id];
            match operation {
                "DescribeKey" => Ok(
                    json!({ "KeyMetadata": { "KeyId": id, "Arn": arn(&id), "KeyState": key.state } }),
                ),
                "GetPublicKey" => Ok(json!({
                    "KeyId": arn(&id),
                    "PublicKey": STANDARD.encode(key.pair.public_key_to_der().unwrap()),
                    "KeyUsage": key.usage,
                    "SigningAlgorithms": (key.usage == "SIGN_VERIFY").then_some(&key.algorithms),
                    "EncryptionAlgorithms": (key.usage == "ENCRYPT_DECRYPT").then_some(ENCRYPTION),
                })),
                "Decrypt" => decrypt(&id, key, asked),
                "Sign" => sign(&id, key, asked, fault),
                other => Err(refuse(400, "UnknownOperationException", other)),
            }
        }
    }
}

const ENCRYPTION: [&str; 2] = ["RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256"];

fn decrypt(id: &str, key: &Key, asked: &Value) -> Result<Value, Answer> {
    if key.state == "Disabled" {
        return Err(refuse(400, "DisabledException", "the key is disabled."));
    }
    if key.usage != "ENCRYPT_DECRYPT" {
        return Err(refuse(400, "InvalidKeyUsageException", "the key's usage"));
    }
    let md = match asked["EncryptionAlgorithm"].as_str().unwrap() {
        "RSAES_OAEP_SHA_256" => openssl::md::Md::sha256(),
        "RSAES_OAEP_SHA_1" => openssl::md::Md::sha1(),
        other => return Err(refuse(400, "ValidationException", other)),
    };
    let ciphertext = asked["CiphertextBlob"].as_str().unwrap();
    let mut context = PkeyCtx::new(&key.pair).unwrap();
    context.decrypt_init().unwrap();
    context.set_rsa_padding(Padding::PKCS1_OAEP).unwrap();
    context.set_rsa_oaep_md(md).unwrap();
    context.set_rsa_mgf1_md(md).unwrap();
    let mut plain = Vec::new();
    context
        .decrypt_to_vec(&STANDARD.decode(ciphertext).unwrap(), &mut plain)
        .map_err(|_| refuse(400, "InvalidCiphertextException", ""))?;
    Ok(json!({
        "KeyId": arn(id),
        "Plaintext": STANDARD.encode(plain),
        "EncryptionAlgorithm": asked["EncryptionAlgorithm"],
    }))
}

fn sign(id: &str, key: &Key, asked: &Value, fault: Option<&Fault>) -> Result<Value, Answer> {
    if key.state == "Disabled" {
        return Err(refuse(400, "DisabledException", "the key is disabled."));
    }
    if key.state == "PendingDeletion" {
        let message = "the key is pending deletion.";
        return Err(refuse(400, "KMSInvalidStateException", message));
    }
    let algorithm = asked["SigningAlgorithm"].as_str().unwrap();
    if !key.algorithms.contains(&algorithm) {
        return Err(refuse(400, "InvalidKeyUsageException", algorithm));
    }
    let message = STANDARD.decode(asked["Message"].as_str().unwrap()).unwrap();
    if message.is_empty() || message.len() > 4096 {
        return Err(refuse(400, "ValidationException", "message length"));
    }
    let (md, len) = match &algorithm[algorithm.len() - 3..] {
        "256" => (openssl::md::Md::sha256(), 32),
        "384" => (openssl::md::Md::sha384(), 48),
        _ => (openssl::md::Md::sha512(), 64),
    };
    if asked["MessageType"] != "DIGEST" || message.len() != len {
        return Err(refuse(
            400,
            "ValidationException",
            "Digest is invalid length for algorithm",
        ));
    }
    let mut digest = message;
    if matches!(fault, Some(Fault::Wrong)) {
        digest[0] ^= 1;
    }
    let mut context = PkeyCtx::new(&key.pair).unwrap();
    context.sign_init().unwrap();
    if algorithm.starts_with("RSASSA_PSS") {
        context.set_rsa_padding(Padding::PKCS1_PSS).unwrap();
        context.set_signature_md(md).unwrap();
        context.set_rsa_mgf1_md(md).unwrap();
        context
            .set_rsa_pss_saltlen(RsaPssSaltlen::DIGEST_LENGTH)
            .unwrap();
    } else {
        context.set_signature_md(md).unwrap();
    }
    let mut signature = Vec::new();
    context.sign_to_vec(&digest, &mut signature).unwrap();
    if matches!(fault, Some(Fault::Trailing)) {
        signature.push(0);
    }
    Ok(json!({
        "KeyId": arn(id),
        "Signature": STANDARD.encode(signature),
        "SigningAlgorithm": algorithm,
    }))
}

/// Signature Version 4 of a `POST` without query, computed anew.
fn check_signature(asked: &Asked, service: &str, state: &State) -> Result<(), String> {
    let authorization = asked.header("authorization").ok_or("unsigned")?;
    let rest = authorization
        .strip_prefix("AWS4-HMAC-SHA256 Credential=")
        .ok_or("no AWS4-HMAC-SHA256")?;
    let (credential, rest) = rest.split_once(", SignedHeaders=").ok_or("form")?;
    let (names, signature) = rest.split_once(", Signature=").ok_or("form")?;
    let parts: Vec<&str> = credential.split('/').collect();
    let [id, date, region, signed_service, "aws4_request"] = parts[..] else {
        return Err("credential scope".into());
    };
    if signed_service != service {
        return Err("service".into());
    }
    let (secret, token) = state.accepted.get(id).ok_or("key")?;
    if asked.header("x-amz-security-token") != token.as_deref() {
        return Err("key".into());
    }
    let time = asked.header("x-amz-date").ok_or("no date")?;
    if time.len() != 16 || !time.starts_with(date) {
        return Err("date".into());
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let now = i64::try_from(now.as_secs()).unwrap() + state.clock_ahead;
    if (seconds(time) - now).abs() > 300 {
        return Err("time".into());
    }
    let mut all = vec!["content-type", "host", "x-amz-date"];
    all.extend(token.as_ref().map(|_| "x-amz-security-token"));
    all.extend(asked.header("x-amz-target").map(|_| "x-amz-target"));
    if names != all.join(";") {
        return Err(format!("signed headers {names}"));
    }
    let headers: String = all
        .iter()
        .map(|name| format!("{name}:{}\n", asked.header(name).unwrap_or_default()))
        .collect();
    let canonical = format!(
        "{}\n{}\n\n{headers}\n{names}\n{}",
        asked.method,
        asked.path,
        hex(&sha256(&asked.body))
    );
    let to_sign = format!(
        "AWS4-HMAC-SHA256\n{time}\n{date}/{region}/{service}/aws4_request\n{}",
        hex(&sha256(canonical.as_bytes()))
    );
    let key = hmac(format!("AWS4{secret}").as_bytes(), date);
    let key = hmac(&hmac(&key, region), service);
    let expected = hex(&hmac(&hmac(&key, "aws4_request"), &to_sign));
    match expected == signature {
        true => Ok(()),
        false => Err("The request signature we calculated does not match".into()),
    }
}

/// Seconds since 1970 of `20150830T123600Z`.
fn seconds(time: &str) -> i64 {
    let text = format!(
        "{}-{}-{}T{}:{}:{}Z",
        &time[..4],
        &time[4..6],
        &time[6..8],
        &time[9..11],
        &time[11..13],
        &time[13..15]
    );
    let format = &time::format_description::well_known::Rfc3339;
    time::OffsetDateTime::parse(&text, format)
        .unwrap()
        .unix_timestamp()
}

fn hmac(key: &[u8], message: &str) -> Vec<u8> {
    let key = PKey::hmac(key).unwrap();
    let mut signer = Signer::new(MessageDigest::sha256(), &key).unwrap();
    signer.sign_oneshot_to_vec(message.as_bytes()).unwrap()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
