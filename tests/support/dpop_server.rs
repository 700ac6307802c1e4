//! An authorisation server and APIs that check each DPoP proof (RFC 9449 section 4.3) by
//! themselves: nothing of segl reads or verifies it.
#![allow(dead_code, reason = "each test uses its own part")]

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openssl::bn::BigNum;
use openssl::ec::{EcGroup, EcKey};
use openssl::ecdsa::EcdsaSig;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::PKey;
use openssl::rsa::{Padding, Rsa};
use openssl::sha::{sha256, sha384};
use openssl::sign::{RsaPssSaltlen, Verifier};
use segl::clock::{Clock, SystemClock};
use segl::http::{Request, Response, Transport};
use segl::{Call, Result};
use serde_json::{Map, Value, json};

pub const TOKEN_ENDPOINT: &str = "https://as.example/token";

/// A proof is taken for so many seconds.
const WINDOW: i64 = 10;

/// Which nonces a server wants in proofs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nonces {
    /// None.
    Unasked,
    /// The last one that it gave; a new one with every so many-th answer, at the first
    /// request too.
    NewAfter(u64),
    /// The last one that it gave, for so many milliseconds.
    Lasting(u64),
    /// A new one for each of so many requests, and then the last of these.
    Unsettled(u64),
    /// A new one each time, whatever the proof has.
    NeverContent,
    /// One, which it never gives.
    Secret,
}

/// What a token endpoint does wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Token {
    Jwt,
    Opaque,
    Bearer,
    BoundToAnother,
}

/// One request as the server saw it.
#[derive(Debug, Clone)]
pub struct Seen {
    pub url: String,
    pub status: u16,
    pub header: Value,
    pub claims: Value,
    /// Why it was refused.
    pub problem: String,
}

#[derive(Debug, Default)]
struct State {
    jtis: HashSet<String>,
    assertions: HashSet<String>,
    /// The key that each token is bound to.
    tokens: HashMap<String, String>,
    seen: Vec<Seen>,
    nonces: HashMap<String, (String, u64)>,
}

/// The server.
pub struct StrictServer {
    state: Mutex<State>,
    /// For the token endpoint, and for APIs.
    pub rules: Mutex<(Nonces, Nonces)>,
    pub token: Mutex<Token>,
    /// How far its clock is ahead.
    pub ahead: AtomicI64,
    issued: AtomicU64,
}

impl StrictServer {
    pub fn new(token_nonces: Nonces, api_nonces: Nonces) -> std::sync::Arc<Self> {
        std::sync::Arc::new(Self {
            state: Mutex::default(),
            rules: Mutex::new((token_nonces, api_nonces)),
            token: Mutex::new(Token::Jwt),
            ahead: AtomicI64::new(0),
            issued: AtomicU64::new(0),
        })
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.state.lock().unwrap().seen.clone()
    }

    /// The statuses of the requests so far, in order.
    pub fn statuses(&self) -> Vec<u16> {
        self.seen().iter().map(|seen| seen.status).collect()
    }

    pub fn problems(&self) -> Vec<String> {
        let seen = self.seen().into_iter();
        seen.map(|seen| seen.problem)
            .filter(|problem| !problem.is_empty() && problem != "use_dpop_nonce")
            .collect()
    }

    /// Takes no token any more that it has given.
    pub fn revoke(&self) {
        self.state.lock().unwrap().tokens.clear();
    }

    /// The nonces it gave are over.
    pub fn expire_nonces(&self) {
        self.state.lock().unwrap().nonces.clear();
    }

    /// Answers one request; header names are compared without case.
    pub fn answer(
        &self,
        method: &str,
        url: &str,
        headers: &[(String, String)],
        body: &[u8],
    ) -> Response {
        let now = SystemClock.now().seconds() + self.ahead.load(Ordering::SeqCst);
        let mut state = self.state.lock().unwrap();
        let header = |name: &str| {
            let mut found = headers
                .iter()
                .filter(|(candidate, _)| candidate.eq_ignore_ascii_case(name))
                .map(|(_, value)| value.clone());
            let first = found.next();
            assert!(found.next().is_none(), "two headers {name}");
            first
        };
        let bare = url.split('?').next().unwrap();
        let is_token_endpoint = bare.ends_with("/token");
        let origin: String = bare.split('/').take(3).collect::<Vec<_>>().join("/");
        let place = match is_token_endpoint {
            true => format!("{origin} token"),
            false => origin,
        };
        let rules = *self.rules.lock().unwrap();
        let nonces = if is_token_endpoint { rules.0 } else { rules.1 };
        let proof = header("dpop").unwrap_or_default();
        let parsed = Proof::verified(&proof);
        let checked = parsed.as_ref().map_err(Clone::clone).and_then(|proof| {
            proof.check(method, bare, now)?;
            if !state.jtis.insert(proof.text("jti")?) {
                return Err("the proof's jti was used before".to_owned());
            }
            Ok(proof.thumbprint())
        });
        let nonce = parsed
            .as_ref()
            .ok()
            .and_then(|proof| proof.text("nonce").ok());
        let (known, count) = state.nonces.get(&place).cloned().unzip();
        let count = count.unwrap_or(0);
        let wants_nonce = match nonces {
            Nonces::Unasked => nonce.is_some(),
            Nonces::NewAfter(_) => nonce.is_none() || nonce != known,
            Nonces::Lasting(time) => nonce.is_none() || nonce != known || is_over(count, time),
            Nonces::Unsettled(requests) => nonce.is_none() || nonce != known || count < requests,
            Nonces::NeverContent | Nonces::Secret => true,
        };
        // An assertion is used up by whatever becomes of its request.
        let checked = checked.and_then(|jkt| {
            if is_token_endpoint {
                use_assertion(&mut state, body, now)?;
            }
            Ok(jkt)
        });
        let outcome = checked.and_then(|jkt| match (wants_nonce, is_token_endpoint) {
            (true, _) => Err("use_dpop_nonce".to_owned()),
            (false, true) => Ok(self.give(&mut state, &jkt)),
            (false, false) => {
                let proof = parsed.as_ref().unwrap();
                take(&state, &jkt, proof, header("authorization"))
            }
        });
        let mut headers = vec![
            ("content-type".to_owned(), "application/json".to_owned()),
            ("date".to_owned(), http_date(now)),
        ];
        if let Some(fresh) = next_nonce(&mut state, nonces, &place) {
            headers.push(("dpop-nonce".to_owned(), fresh));
        }
        let (status, body, problem) = match (outcome, is_token_endpoint) {
            (Ok(body), _) => (200, body, String::new()),
            (Err(problem), true) => {
                let error = match problem.as_str() {
                    "use_dpop_nonce" => "use_dpop_nonce",
                    _ => "invalid_dpop_proof",
                };
                (
                    400,
                    json!({"error": error, "error_description": problem}),
                    problem,
                )
            }
            (Err(problem), false) => {
                let error = match problem.as_str() {
                    "use_dpop_nonce" | "invalid_token" => problem.as_str(),
                    _ => "invalid_dpop_proof",
                };
                let challenge = format!("DPoP error=\"{error}\", algs=\"ES256 PS256 RS256\"");
                headers.push(("www-authenticate".to_owned(), challenge));
                (401, json!({"error": error}), problem)
            }
        };
        let (header, claims) = match parsed {
            Ok(proof) => (proof.header, proof.claims),
            Err(_) => (Value::Null, Value::Null),
        };
        state.seen.push(Seen {
            url: url.to_owned(),
            status,
            header,
            claims,
            problem,
        });
        Response::new(status, headers, body.to_string().into_bytes())
    }

    fn give(&self, state: &mut State, jkt: &str) -> Value {
        let number = self.issued.fetch_add(1, Ordering::SeqCst);
        let form = *self.token.lock().unwrap();
        let bound = match form {
            Token::BoundToAnother => "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I",
            _ => jkt,
        };
        let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let token = match form {
            Token::Opaque => format!("opaque-{number}"),
            _ => {
                let payload = json!({"number": number, "cnf": {"jkt": bound}});
                format!("{}.{}.c2ln", part(json!({"alg": "none"})), part(payload))
            }
        };
        state.tokens.insert(token.clone(), bound.to_owned());
        let kind = if form == Token::Bearer {
            "Bearer"
        } else {
            "DPoP"
        };
        json!({"access_token": token, "token_type": kind, "expires_in": 600})
    }
}

impl Transport for StrictServer {
    fn send(&self, request: &Request, _: &Call) -> Result<Response> {
        let headers = request.headers.iter();
        let headers: Vec<_> = headers
            .map(|(name, value)| (name.to_string(), value.as_str().to_owned()))
            .collect();
        let (method, url) = (request.method.name(), request.url.as_str());
        Ok(self.answer(method, url, &headers, &request.body))
    }
}

impl fmt::Debug for StrictServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StrictServer")
    }
}

fn use_assertion(state: &mut State, body: &[u8], now: i64) -> std::result::Result<(), String> {
    let form = std::str::from_utf8(body).unwrap();
    let assertion = form
        .split('&')
        .find_map(|pair| pair.strip_prefix("client_assertion="))
        .ok_or("no client_assertion")?;
    let claims = json_part(assertion.split('.').nth(1).unwrap())?;
    let jti = claims["jti"].as_str().ok_or("no jti")?.to_owned();
    if !state.assertions.insert(jti) {
        return Err("the assertion was used before".to_owned());
    }
    match (claims["iat"].as_i64().unwrap() - now).abs() > WINDOW {
        true => Err("the assertion is of another time".to_owned()),
        false => Ok(()),
    }
}

fn now_ms() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    u64::try_from(now.unwrap().as_millis()).unwrap()
}

/// True `time` milliseconds after `given`.
fn is_over(given: u64, time: u64) -> bool {
    now_ms().saturating_sub(given) > time
}

fn next_nonce(state: &mut State, nonces: Nonces, place: &str) -> Option<String> {
    let after = match nonces {
        Nonces::Unasked | Nonces::Secret => return None,
        Nonces::Lasting(time) => {
            let new = || (uuid::Uuid::new_v4().to_string(), now_ms());
            let kept = state.nonces.entry(place.to_owned()).or_insert_with(new);
            if is_over(kept.1, time) {
                *kept = new();
            }
            return Some(kept.0.clone());
        }
        Nonces::Unsettled(requests) => {
            let kept = state.nonces.entry(place.to_owned()).or_default();
            if kept.1 < requests {
                *kept = (uuid::Uuid::new_v4().to_string(), kept.1 + 1);
            }
            return Some(kept.0.clone());
        }
        Nonces::NewAfter(after) => after,
        Nonces::NeverContent => 1,
    };
    let (nonce, answers) = state
        .nonces
        .entry(place.to_owned())
        .or_insert_with(|| (uuid::Uuid::new_v4().to_string(), 0));
    *answers += 1;
    if *answers > after {
        (*nonce, *answers) = (uuid::Uuid::new_v4().to_string(), 1);
    }
    Some(nonce.clone())
}

fn take(
    state: &State,
    jkt: &str,
    proof: &Proof,
    authorization: Option<String>,
) -> std::result::Result<Value, String> {
    let token = authorization.unwrap_or_default();
    let token = token.strip_prefix("DPoP ").ok_or("not the scheme DPoP")?;
    if proof.text("ath")? != URL_SAFE_NO_PAD.encode(sha256(token.as_bytes())) {
        return Err("ath is of another token".to_owned());
    }
    match state.tokens.get(token) {
        Some(bound) if bound == jkt => Ok(json!({"token": token})),
        Some(_) => Err("the proof is of another key".to_owned()),
        None => Err("invalid_token".to_owned()),
    }
}

/// Serves `server` over HTTP on a free port until the test program ends. Its URL, without
/// a slash at the end.
pub fn serve(server: &std::sync::Arc<StrictServer>) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let (server, own) = (server.clone(), base.clone());
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let _ = exchange(&server, &own, stream);
        }
    });
    base
}

fn exchange(server: &StrictServer, base: &str, stream: TcpStream) -> std::io::Result<()> {
    stream.set_read_timeout(Some(std::time::Duration::from_secs(10)))?;
    let mut reader = BufReader::new(stream);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        match line.trim_end() {
            "" => break,
            text => lines.push(text.to_owned()),
        }
    }
    let mut parts = lines
        .first()
        .map(String::as_str)
        .unwrap_or_default()
        .split(' ');
    let (method, path) = (
        parts.next().unwrap_or_default(),
        parts.next().unwrap_or_default(),
    );
    let header = |line: &String| {
        let (name, value) = line.split_once(':')?;
        Some((name.to_owned(), value.trim().to_owned()))
    };
    let headers: Vec<_> = lines.iter().skip(1).filter_map(header).collect();
    let is_length = |(name, _): &&(String, String)| name.eq_ignore_ascii_case("content-length");
    let length = headers.iter().find(is_length);
    let mut body = vec![0; length.map_or(0, |(_, value)| value.parse().unwrap())];
    reader.read_exact(&mut body)?;
    let answer = server.answer(method, &format!("{base}{path}"), &headers, &body);
    let mut text = format!(
        "HTTP/1.1 {} status\r\nConnection: close\r\nContent-Length: {}\r\n",
        answer.status,
        answer.body.len()
    );
    for (name, value) in &answer.headers {
        text.push_str(&format!("{name}: {}\r\n", value.as_str()));
    }
    text.push_str("\r\n");
    let mut stream = reader.into_inner();
    stream.write_all(text.as_bytes())?;
    stream.write_all(&answer.body)
}

/// A proof whose signature is that of the key in its header.
#[derive(Debug)]
pub struct Proof {
    pub header: Value,
    pub claims: Value,
}

impl Proof {
    pub fn verified(compact: &str) -> std::result::Result<Self, String> {
        let parts: Vec<_> = compact.split('.').collect();
        let [header, claims, signature] = parts[..] else {
            return Err("no compact JWS".to_owned());
        };
        let input = format!("{header}.{claims}");
        let proof = Self {
            header: json_part(header)?,
            claims: json_part(claims)?,
        };
        only(&proof.header, &["alg", "jwk", "typ"], &[])?;
        if proof.header["typ"] != "dpop+jwt" {
            return Err("typ is not dpop+jwt".to_owned());
        }
        let signature = octets(signature)?;
        match proof.is_signed(input.as_bytes(), &signature)? {
            true => Ok(proof),
            false => Err("the signature is not of the key in the header".to_owned()),
        }
    }

    fn is_signed(&self, input: &[u8], signature: &[u8]) -> std::result::Result<bool, String> {
        let jwk = &self.header["jwk"];
        let number = |name: &str| {
            let text = jwk[name].as_str().ok_or(format!("the JWK has no {name}"))?;
            Ok::<_, String>(BigNum::from_slice(&octets(text)?).unwrap())
        };
        let alg = self.header["alg"].as_str().unwrap_or_default();
        let digest = MessageDigest::sha256();
        Ok(match alg {
            "ES256" | "ES384" => {
                only(jwk, &["crv", "kty", "x", "y"], &[])?;
                let (nid, curve, hash) = match alg {
                    "ES256" => (Nid::X9_62_PRIME256V1, "P-256", sha256(input).to_vec()),
                    _ => (Nid::SECP384R1, "P-384", sha384(input).to_vec()),
                };
                if jwk["crv"] != curve || jwk["kty"] != "EC" {
                    return Err(format!("{alg} with another kind of key"));
                }
                let group = EcGroup::from_curve_name(nid).unwrap();
                let (x, y) = (number("x")?, number("y")?);
                let key = EcKey::from_public_key_affine_coordinates(&group, &x, &y)
                    .map_err(|error| error.to_string())?;
                let (r, s) = signature.split_at(signature.len() / 2);
                let number = |bytes| BigNum::from_slice(bytes).unwrap();
                let signature = EcdsaSig::from_private_components(number(r), number(s)).unwrap();
                signature.verify(&hash, &key).unwrap()
            }
            "RS256" | "PS256" => {
                only(jwk, &["e", "kty", "n"], &[])?;
                let key = Rsa::from_public_components(number("n")?, number("e")?).unwrap();
                let key = PKey::from_rsa(key).unwrap();
                let mut verifier = Verifier::new(digest, &key).unwrap();
                if alg == "PS256" {
                    verifier.set_rsa_padding(Padding::PKCS1_PSS).unwrap();
                    verifier
                        .set_rsa_pss_saltlen(RsaPssSaltlen::DIGEST_LENGTH)
                        .unwrap();
                }
                verifier.verify_oneshot(signature, input).unwrap()
            }
            other => return Err(format!("the algorithm {other}")),
        })
    }

    fn check(&self, method: &str, url: &str, now: i64) -> std::result::Result<(), String> {
        only(
            &self.claims,
            &["htm", "htu", "iat", "jti"],
            &["ath", "nonce"],
        )?;
        if self.text("htm")? != method {
            return Err("htm is of another method".to_owned());
        }
        if self.text("htu")? != url {
            return Err("htu is of another URL".to_owned());
        }
        let iat = self.claims["iat"]
            .as_i64()
            .ok_or("iat is no whole number")?;
        if (iat - now).abs() > WINDOW {
            return Err(format!("iat is {} s off", iat - now));
        }
        if url.ends_with("/token") && self.claims.get("ath").is_some() {
            return Err("ath without a token".to_owned());
        }
        Ok(())
    }

    fn text(&self, name: &str) -> std::result::Result<String, String> {
        let text = self.claims[name].as_str();
        text.map(str::to_owned).ok_or(format!("no {name}"))
    }

    /// RFC 7638, written out.
    pub fn thumbprint(&self) -> String {
        let jwk = &self.header["jwk"];
        let member = |name: &str| jwk[name].as_str().unwrap();
        let json = match member("kty") {
            "EC" => format!(
                r#"{{"crv":"{}","kty":"EC","x":"{}","y":"{}"}}"#,
                member("crv"),
                member("x"),
                member("y")
            ),
            _ => format!(
                r#"{{"e":"{}","kty":"RSA","n":"{}"}}"#,
                member("e"),
                member("n")
            ),
        };
        URL_SAFE_NO_PAD.encode(sha256(json.as_bytes()))
    }
}

fn octets(text: &str) -> std::result::Result<Vec<u8>, String> {
    let decoded = URL_SAFE_NO_PAD.decode(text);
    decoded.map_err(|_| "not base64url without padding".to_owned())
}

fn json_part(text: &str) -> std::result::Result<Value, String> {
    serde_json::from_slice(&octets(text)?).map_err(|error| error.to_string())
}

/// Each of `must`, and beside them none but `may`.
fn only(value: &Value, must: &[&str], may: &[&str]) -> std::result::Result<(), String> {
    let members: &Map<String, Value> = value.as_object().ok_or("no JSON object")?;
    if let Some(missing) = must.iter().find(|name| !members.contains_key(**name)) {
        return Err(format!("{missing} is missing"));
    }
    let is_known = |name: &String| must.iter().chain(may).any(|known| known == name);
    match members.keys().find(|name| !is_known(name)) {
        Some(other) => Err(format!("{other} has no place there")),
        None => Ok(()),
    }
}

fn http_date(seconds: i64) -> String {
    let seconds = u64::try_from(seconds).unwrap();
    httpdate::fmt_http_date(std::time::UNIX_EPOCH + std::time::Duration::from_secs(seconds))
}
