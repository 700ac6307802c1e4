//! What a client's settings may be where there are a few words to choose from.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The services that segl knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum ProfileName {
    /// Maskinporten's JWT grant.
    Maskinporten,
    /// The same at Skyporten, for cloud services.
    Skyporten,
    /// ID-porten's client assertion, for use in the authorization code flow.
    Idporten,
    /// DNB's client assertion and client registration.
    Dnb,
    /// HelseID's client assertion, and tokens bound by DPoP.
    Helseid,
    /// Any RFC 7523 server.
    Generic,
}

/// An environment of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Environment {
    /// The service's test environment.
    Test,
    /// Production.
    Prod,
}

/// How much of the certificate chain goes into `x5c`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum X5cForm {
    /// The certificate of the key only.
    Leaf,
    /// That certificate and its issuers, in order.
    Chain,
    /// No `x5c`, even when a certificate is beside the key.
    None,
}

/// A claim that servers want as a string or as an array of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum AudienceForm {
    /// `"a"`
    String,
    /// `["a"]`
    Array,
}

/// The form of `jti`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum JtiForm {
    /// A random UUID (version 4).
    Uuid,
    /// The 16 bytes of a random UUID in base64url, 22 characters.
    Base64url,
}

/// How a client proves who it is at the token endpoint, in the words of its
/// registration (RFC 7591 section 2, RFC 8705 section 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ClientAuthentication {
    /// By an assertion that its key signs.
    PrivateKeyJwt,
    /// By a client certificate that an authority issued.
    TlsClientAuth,
    /// By a client certificate that is registered itself.
    SelfSignedTlsClientAuth,
}

impl ClientAuthentication {
    /// Whether the client certificate is all that the client shows.
    pub fn is_by_tls(self) -> bool {
        matches!(self, Self::TlsClientAuth | Self::SelfSignedTlsClientAuth)
    }
}

/// How an assertion is used (RFC 7523).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Grant {
    /// As an authorisation grant (section 2.1).
    JwtBearer,
    /// As client authentication (section 2.2, `private_key_jwt`) for the grant
    /// `client_credentials`.
    ClientCredentials,
}
