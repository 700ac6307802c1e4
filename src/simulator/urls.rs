//! Addresses.

use std::net::SocketAddr;

use serde::Serialize;

use super::{
    altinn, api, bank, dnb, helseid, kfr, krr, lanekassen, maskinporten, nav, self_service,
    skatteetaten,
};

/// Where the simulator answers. Every value is an absolute URL.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Urls {
    /// `http://` or `https://` and the address, without a slash at the end.
    pub base: String,
    /// `iss` of its tokens and `aud` of grants, with a slash at the end.
    pub maskinporten_issuer: String,
    /// Where grants are posted.
    pub maskinporten_token_endpoint: String,
    /// The keys of its tokens.
    pub maskinporten_jwks_uri: String,
    /// The metadata document (RFC 8414).
    pub maskinporten_metadata: String,
    /// `iss` of its tokens.
    pub dnb_issuer: String,
    /// Where client assertions are posted, and one of the accepted `aud`.
    pub dnb_token_endpoint: String,
    /// The keys of its tokens.
    pub dnb_jwks_uri: String,
    /// The metadata document.
    pub dnb_metadata: String,
    /// What the paths of Altinn's APIs begin with.
    pub altinn: String,
    /// What the paths of DNB's currency rates begin with.
    pub dnb_currencies: String,
    /// What the paths of DNB's accounts and payments for third parties begin with.
    pub dnb_psd2: String,
    /// An API for Maskinporten's access tokens.
    pub api: String,
    /// The base URL of a bank behind DSOP Control, for Maskinporten's access tokens.
    pub bank: String,
    /// What the paths of Digdir's administration API begin with.
    pub self_service: String,
    /// What the paths of the admin endpoints begin with.
    pub admin: String,
    /// An API for DNB's access tokens.
    pub dnb_api: String,
    /// `iss` of the HelseID-like service's tokens and `aud` of assertions.
    pub helseid_issuer: String,
    /// Where client assertions are posted.
    pub helseid_token_endpoint: String,
    /// The keys of its tokens.
    pub helseid_jwks_uri: String,
    /// The metadata document.
    pub helseid_metadata: String,
    /// An API for its access tokens.
    pub helseid_api: String,
    /// The base URL of KRR.
    pub krr: String,
    /// The base URL of Lånekassen.
    pub lanekassen: String,
    /// The base URL of NAV.
    pub nav: String,
    /// The base URL of Skatteetaten.
    pub skatteetaten: String,
    /// The base URL of KFR.
    pub kfr: String,
    /// The same over HTTPS, where it is served. Each of the two is an issuer of its
    /// own: what is fetched over HTTPS names only URLs of HTTPS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub https: Option<Box<Self>>,
}

impl Urls {
    pub(super) fn new(plain: SocketAddr, https: Option<SocketAddr>) -> Self {
        Self {
            https: https.map(|address| Box::new(Self::at("https", address))),
            ..Self::at("http", plain)
        }
    }

    /// True for those of the HTTPS listener.
    pub(super) fn is_https(&self) -> bool {
        self.base.starts_with("https:")
    }

    fn at(scheme: &str, address: SocketAddr) -> Self {
        let base = format!("{scheme}://{address}");
        let at = |path: &str| format!("{base}{path}");
        Self {
            maskinporten_issuer: at("/maskinporten/"),
            maskinporten_token_endpoint: at(maskinporten::TOKEN_PATH),
            maskinporten_jwks_uri: at(maskinporten::JWK_PATH),
            maskinporten_metadata: at(maskinporten::METADATA_PATH),
            dnb_issuer: at("/dnb"),
            dnb_token_endpoint: at(dnb::TOKEN_PATH),
            dnb_jwks_uri: at(dnb::JWKS_PATH),
            dnb_metadata: at(dnb::METADATA_PATH),
            altinn: at(altinn::BASE_PATH),
            dnb_currencies: at(dnb::CURRENCIES_PATH),
            dnb_psd2: at(dnb::PSD2_PATH),
            api: at(api::ECHO_PATH),
            bank: at(bank::BASE_PATH),
            self_service: at(self_service::BASE_PATH),
            admin: at("/admin"),
            dnb_api: at(dnb::ECHO_PATH),
            helseid_issuer: at("/helseid"),
            helseid_token_endpoint: at(helseid::TOKEN_PATH),
            helseid_jwks_uri: at(helseid::JWKS_PATH),
            helseid_metadata: at(helseid::METADATA_PATH),
            helseid_api: at(helseid::ECHO_PATH),
            krr: at(krr::BASE_PATH),
            lanekassen: at(lanekassen::BASE_PATH),
            nav: at(nav::BASE_PATH),
            skatteetaten: at(skatteetaten::BASE_PATH),
            kfr: at(kfr::BASE_PATH),
            https: None,
            base,
        }
    }
}
