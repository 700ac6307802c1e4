//! AWS Signature Version 4: the `Authorization` header of a request ("Create a
//! signed AWS API request", AWS IAM user guide).

use openssl::pkey::PKey;
use openssl::sha::sha256;
use openssl::sign::Signer;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, percent_encode};
use time::OffsetDateTime;
use zeroize::Zeroizing;

use crate::clock::UnixTime;
use crate::error::{Error, ErrorCode, Result};
use crate::hex;
use crate::secret::Secret;

/// The parts of a request that are signed.
pub(super) struct Signable<'a> {
    /// Upper case.
    pub(super) method: &'a str,
    /// As it is sent.
    pub(super) path: &'a str,
    /// As it is sent, without the question mark.
    pub(super) query: &'a str,
    /// Names in any case, with `Host`, `X-Amz-Date` and, where there is one,
    /// `X-Amz-Security-Token`. All are signed.
    pub(super) headers: &'a [(&'a str, &'a str)],
    pub(super) body: &'a [u8],
}

/// For whom and when a signature counts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scope<'a> {
    pub(super) region: &'a str,
    pub(super) service: &'a str,
    pub(super) time: UnixTime,
    /// Whether `.`, `..` and double slashes in the path are resolved: yes for every
    /// service but S3.
    pub(super) normalize_path: bool,
}

/// The value of the header `Authorization`.
pub(super) fn authorization(
    request: &Signable<'_>,
    scope: &Scope<'_>,
    access_key_id: &str,
    secret_access_key: &Secret,
) -> Result<String> {
    let date_time = date_time(scope.time)?;
    let date = date_time.get(..8).unwrap_or_default();
    let credential_scope = format!("{date}/{}/{}/aws4_request", scope.region, scope.service);
    let (canonical, signed_headers) = canonical_request(request, scope.normalize_path);
    let to_sign = format!(
        "AWS4-HMAC-SHA256\n{date_time}\n{credential_scope}\n{}",
        hex::encode(&sha256(canonical.as_bytes()))
    );
    let mut key = Zeroizing::new([b"AWS4", secret_access_key.expose()].concat());
    for part in [date, scope.region, scope.service, "aws4_request"] {
        key = hmac(&key, part.as_bytes())?;
    }
    let signature = hex::encode(&hmac(&key, to_sign.as_bytes())?);
    Ok(format!(
        "AWS4-HMAC-SHA256 Credential={access_key_id}/{credential_scope}, \
         SignedHeaders={signed_headers}, Signature={signature}"
    ))
}

/// The value of the header `X-Amz-Date`: `20150830T123600Z`.
pub(super) fn date_time(time: UnixTime) -> Result<String> {
    let time = OffsetDateTime::from_unix_timestamp(time.seconds()).map_err(|source| {
        Error::new(
            ErrorCode::KmsClock,
            "this machine's clock shows a time that AWS cannot be told; set it",
        )
        .with_source(source)
    })?;
    Ok(format!(
        "{:04}{:02}{:02}T{:02}{:02}{:02}Z",
        time.year(),
        u8::from(time.month()),
        time.day(),
        time.hour(),
        time.minute(),
        time.second()
    ))
}

/// The canonical request and the list of the headers in it.
fn canonical_request(request: &Signable<'_>, normalize_path: bool) -> (String, String) {
    let mut headers: Vec<(String, Vec<String>)> = Vec::new();
    for (name, value) in request.headers {
        let name = name.to_ascii_lowercase();
        let value = value.split_ascii_whitespace().collect::<Vec<_>>().join(" ");
        match headers.iter_mut().find(|(known, _)| *known == name) {
            Some((_, values)) => values.push(value),
            None => headers.push((name, vec![value])),
        }
    }
    headers.sort();
    let names: Vec<&str> = headers.iter().map(|(name, _)| name.as_str()).collect();
    let signed_headers = names.join(";");
    let headers: String = headers
        .iter()
        .map(|(name, values)| format!("{name}:{}\n", values.join(",")))
        .collect();
    let path = match normalize_path {
        true => normalized(request.path),
        false => request.path.to_owned(),
    };
    let canonical = format!(
        "{}\n{}\n{}\n{headers}\n{signed_headers}\n{}",
        request.method,
        encode(path.as_bytes(), BUT_PATH),
        canonical_query(request.query),
        hex::encode(&sha256(request.body))
    );
    (canonical, signed_headers)
}

/// Each parameter's name and value encoded in one way, in the order of the bytes.
fn canonical_query(query: &str) -> String {
    let recode = |text| {
        encode(
            &percent_decode_str(text).collect::<Vec<u8>>(),
            BUT_UNRESERVED,
        )
    };
    let mut parameters: Vec<(String, String)> = query
        .split('&')
        .filter(|parameter| !parameter.is_empty())
        .map(|parameter| {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            (recode(name), recode(value))
        })
        .collect();
    parameters.sort();
    let parameters: Vec<_> = parameters
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    parameters.join("&")
}

/// RFC 3986 section 5.2.4, with double slashes made single.
fn normalized(path: &str) -> String {
    let mut segments: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                segments.pop();
            }
            other => segments.push(other),
        }
    }
    let is_folder = ["/", "/.", "/.."].iter().any(|end| path.ends_with(end));
    let end = match is_folder && !segments.is_empty() {
        true => "/",
        false => "",
    };
    format!("/{}{end}", segments.join("/"))
}

fn encode(bytes: &[u8], set: &'static AsciiSet) -> String {
    percent_encode(bytes, set).to_string()
}

const BUT_UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');
const BUT_PATH: &AsciiSet = &BUT_UNRESERVED.remove(b'/');

fn hmac(key: &[u8], message: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
    let mac = PKey::hmac(key).and_then(|key| {
        Signer::new(openssl::hash::MessageDigest::sha256(), &key)?.sign_oneshot_to_vec(message)
    });
    mac.map(Zeroizing::new).map_err(|source| {
        Error::new(ErrorCode::Unsupported, "OpenSSL has no HMAC with SHA-256").with_source(source)
    })
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    /// AWS's own test suite; its source and licence stand beside it.
    const SUITE: &str = include_str!("../../../tests/data/aws-sigv4/suite.json");

    #[test]
    fn every_request_of_the_published_suite_is_signed_as_aws_does() {
        let suite: Vec<Value> = serde_json::from_str(SUITE).unwrap();
        assert_eq!(suite.len(), 38);
        for vector in &suite {
            let name = vector["name"].as_str().unwrap();
            let text = |member: &str| vector[member].as_str().unwrap();
            let headers: Vec<(&str, &str)> = vector["headers"]
                .as_array()
                .unwrap()
                .iter()
                .map(|header| (header[0].as_str().unwrap(), header[1].as_str().unwrap()))
                .collect();
            let request = Signable {
                method: text("method"),
                path: text("path"),
                query: text("query"),
                headers: &headers,
                body: text("body").as_bytes(),
            };
            let scope = Scope {
                region: text("region"),
                service: text("service"),
                time: UnixTime::from_seconds(vector["time"].as_i64().unwrap()),
                normalize_path: vector["normalize"].as_bool().unwrap(),
            };
            let (canonical, _) = canonical_request(&request, scope.normalize_path);
            assert_eq!(canonical, text("canonical_request"), "{name}");
            let secret = Secret::from(text("secret_access_key").as_bytes());
            let made = authorization(&request, &scope, text("access_key_id"), &secret).unwrap();
            assert_eq!(made, text("authorization"), "{name}");
        }
    }
}
