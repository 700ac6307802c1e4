//! What Maskinporten's refusals mean (docs.digdir.no, "Feilsøking").

/// Cause and remedy of a refusal, by its code or else by its text.
pub(super) fn explain(provider_code: Option<&str>, description: &str) -> Option<&'static str> {
    let by_code = provider_code.and_then(|code| {
        BY_CODE
            .iter()
            .find(|(known, _)| *known == code)
            .map(|(_, text)| *text)
    });
    by_code.or_else(|| {
        BY_TEXT
            .iter()
            .find(|(known, _)| description.contains(known))
            .map(|(_, text)| *text)
    })
}

const BY_CODE: [(&str, &str); 17] = [
    (
        "MP-011",
        "the grant could not be read; look for what changed it on its way",
    ),
    (
        "MP-012",
        "the grant was used before; every request needs a new jti, so look for a proxy or program that repeats requests",
    ),
    (
        "MP-100",
        "no such client; check client_id, and that it belongs to this environment (test or prod)",
    ),
    (
        "MP-110",
        "the aud claim is not this environment's issuer with its final slash; check environment, issuer and audience",
    ),
    (
        "MP-120",
        "the certificate is not accepted; use one from Buypass or Commfides, a test certificate in test and a production one in prod",
    ),
    (
        "MP-121",
        "the registered key is older than a year; register it again (the same key may be posted anew)",
    ),
    (
        "MP-122",
        "the certificate's organisation number is not the client's; use a certificate of the organisation that owns the client",
    ),
    (
        "MP-123",
        "x5c is not an array of base64 DER certificates; look for what changed the grant on its way",
    ),
    (
        "MP-124",
        "the signature does not verify; check that the kid or certificate belongs to this key, has not expired, and is of this environment",
    ),
    (
        "MP-130",
        "the grant has expired; check this machine's clock against UTC",
    ),
    (
        "MP-200",
        "a scope is not on the client; add it in the self-service, or look for a typing error",
    ),
    (
        "MP-201",
        "a scope is not allowed for Maskinporten; check the client's integration type",
    ),
    (
        "MP-250",
        "the API's owner has not given this organisation access to the scope; ask the API's owner",
    ),
    (
        "MP-251",
        "the consumer has not delegated the scope to this supplier; the consumer does that in Altinn",
    ),
    (
        "MP-301",
        "the type in authorization_details is unknown; check its spelling",
    ),
    (
        "MP-302",
        "authorization_details has members that its type does not know; remove them",
    ),
    (
        "MP-303",
        "authorization_details does not fit the register; check the system user, externalRef and organisation in Altinn",
    ),
];

const BY_TEXT: [(&str, &str); 9] = [
    (
        "Issue time is",
        "this machine's clock is ahead; set it by NTP",
    ),
    (
        "too long lifetime",
        "exp - iat is over the limit; lower lifetime_seconds",
    ),
    (
        "has expired",
        "the grant has expired; check this machine's clock against UTC",
    ),
    (
        "Unknown key identifier",
        "the kid is not registered on this client; a new key takes up to two minutes to work, else check kid and client_id",
    ),
    (
        "requires pre-registered jwk",
        "this client has registered keys; set \"kid\" instead of a certificate",
    ),
    (
        "consumer_org in claim",
        "consumer_org is the client's own organisation; leave it out",
    ),
    (
        "Invalid JWT claim aud",
        "the aud claim is not this environment's issuer with its final slash; check environment, issuer and audience",
    ),
    (
        "Invalid JWT signature",
        "the signature does not verify; check that the kid or certificate belongs to this key",
    ),
    (
        "invalid_altinn_customer_configuration",
        "Altinn has no such system user; check the system register, externalRef and organisation",
    ),
];
