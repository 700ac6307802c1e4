//! Grants with a European eSeal (Digdir's pilot of 2025): no client is registered,
//! `iss` counts for nothing, and the scope's owner has opted in.

use std::collections::BTreeMap;

use openssl::x509::X509;
use serde_json::json;

use super::super::assertion::Jws;
use super::super::trust::is_trusted;
use super::authentication::{ALGORITHMS, read_x5c};
use super::client::Scope;
use super::errors::Refusal;
use super::grant::Grant;
use super::token::Holder;
use crate::clock::UnixTime;
use crate::keys::Certificate;

/// Seconds.
const TOKEN_LIFETIME: i64 = 120;

/// DER of `id-etsi-qcs-QcCompliance` (ETSI EN 319 412-5), which stands in
/// qualified certificates.
const QUALIFIED: [u8; 8] = [0x06, 0x06, 0x04, 0x00, 0x8e, 0x46, 0x01, 0x01];

/// Who sealed a grant.
pub(super) struct Seal {
    client_id: String,
    /// `organizationIdentifier`, for example `NTRNO-910753614`.
    id: String,
    amr: &'static str,
}

/// The sender of a grant whose certificate comes from one of `issuers`; none for
/// another grant, of whose sender nothing is known yet.
pub(super) fn authenticate(
    jws: &Jws<'_>,
    issuers: &[Certificate],
    now: UnixTime,
) -> Result<Option<Seal>, Refusal> {
    let Some(chain) = jws.header.get("x5c").and_then(read_x5c) else {
        return Ok(None);
    };
    let Some(leaf) = chain.first() else {
        return Ok(None);
    };
    // OpenSSL fails here only for want of memory; nothing is trusted then.
    if issuers.is_empty() || !is_trusted(&chain, issuers, now).unwrap_or(false) {
        return Ok(None);
    }
    if jws.header.contains_key("kid") {
        return Err(Refusal::kid_and_x5c());
    }
    if chain.len() < 2 {
        return Err(Refusal::x5c());
    }
    let alg = jws.algorithm(&ALGORITHMS).ok_or_else(Refusal::signature)?;
    let is_signed = |key| jws.is_signed_by(key, alg);
    if !leaf.public_key().is_some_and(is_signed) {
        return Err(Refusal::signature());
    }
    let id = leaf
        .organization_identifier()
        .ok_or_else(Refusal::certificate)?;
    let is_qualified = leaf.der().windows(QUALIFIED.len()).any(|w| w == QUALIFIED);
    Ok(Some(Seal {
        client_id: format!("eidas-{}", serial(leaf).ok_or_else(Refusal::certificate)?),
        id,
        amr: match is_qualified {
            true => "QCForESeal",
            false => "CForESeal",
        },
    }))
}

impl Seal {
    pub(super) fn client_id(&self) -> &str {
        &self.client_id
    }

    /// Checks what `grant` asks for. A sealed grant is for its sender alone.
    pub(super) fn authorize(
        &self,
        grant: &Grant<'_>,
        scopes: &BTreeMap<String, Scope>,
    ) -> Result<Holder<'_>, Refusal> {
        if grant.consumer_org.is_some() || grant.pid.is_some() {
            return Err(Refusal::claim(
                "consumer_org and pid cannot go with an eSeal.",
            ));
        }
        if grant.authorization_details.is_some() {
            return Err(Refusal::details_type());
        }
        let mut lifetime = TOKEN_LIFETIME;
        for name in &grant.scopes {
            let scope = scopes.get(*name).filter(|scope| scope.eseals);
            let scope = scope.ok_or_else(|| Refusal::no_access(name))?;
            lifetime = lifetime.min(scope.at_max_age.unwrap_or(lifetime));
        }
        Ok(Holder {
            client_id: &self.client_id,
            client_amr: self.amr,
            consumer: json!({ "authority": "etsi-en-319-412", "ID": self.id }),
            supplier: None,
            lifetime,
        })
    }
}

/// The certificate's serial number, decimal.
fn serial(certificate: &Certificate) -> Option<String> {
    let x509 = X509::from_der(certificate.der()).ok()?;
    let number = x509.serial_number().to_bn().ok()?;
    Some(number.to_dec_str().ok()?.to_string())
}
