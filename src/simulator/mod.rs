//! Maskinporten, DNB and a service like HelseID on this machine, refusing what the
//! real ones refuse.
//!
//! For tests and demonstrations, offline. Everything is in memory and gone when
//! the simulator stops. Only loopback addresses are served, over plain HTTP and, where
//! it is configured, over HTTPS on another port.
//!
//! | path | what |
//! |---|---|
//! | `POST /maskinporten/token` | the token endpoint, issuer `{base}/maskinporten/` |
//! | `GET /maskinporten/jwk` | its JWKS |
//! | `GET /maskinporten/.well-known/oauth-authorization-server` | its metadata (RFC 8414) |
//! | `POST /dnb/as/token.oauth2` | the token endpoint, issuer `{base}/dnb` |
//! | `GET /dnb/jwks` | its JWKS |
//! | `GET /dnb/.well-known/openid-configuration` | its metadata |
//! | `GET /.well-known/oauth-authorization-server/dnb` | the same (RFC 8414 section 3.1) |
//! | any method, `/dnb/api/echo` | an API for DNB's access tokens; `?scope=` requires a scope |
//! | `POST /dnb/api/prevalidation/norway`, `…/international` | takes any JSON object and gives it back |
//! | `POST /helseid/connect/token` | the token endpoint, issuer `{base}/helseid` |
//! | `GET /helseid/.well-known/openid-configuration` | its metadata |
//! | `GET /helseid/.well-known/openid-configuration/jwks` | its JWKS |
//! | any method, `/helseid/api/echo` | an API for its access tokens, with DPoP |
//! | `GET /altinn/authentication/api/v1/exchange/maskinporten` | an Altinn token for Maskinporten's |
//! | `GET /altinn/authentication/api/v1/openid/.well-known/openid-configuration` | its metadata; `…/jwks` are the keys |
//! | `/altinn/accessmanagement/api/v1/enterprise/consentrequests/…` | requests for consent |
//! | any method, `/altinn/api/echo` | an API for Altinn's tokens |
//! | `GET /dnb/currencies/currencies/v2…` | DNB's currency rates |
//! | `/dnb/psd2/…` | DNB's accounts and payments for third parties |
//! | any method, `/api/echo` | an API for Maskinporten's access tokens; `?scope=` requires a scope |
//! | `/kfr/kar-ws/api/v1/customers/…` | KFR, Bits' register of customer relationships |
//! | `GET /admin/kfr/relations/{orgno}` | the relations that KFR has of an institution |
//! | `/self-service/api/v1/clients…` | Digdir's administration API, as far as keys go |
//! | `POST /krr/rest/v1/personer`, `…/v2/personer` | KRR's look-ups |
//! | `GET /lanekassen/saldo/v1/Accounts` | Lånekassen's balance of student loans |
//! | `GET /nav/…`, `GET /skatteetaten/…` | APIs for those who have a person's consent |
//! | `POST /admin/maskinporten/clients` | adds or replaces a client, JSON as in [`SimulatorConfig`] |
//! | `POST /admin/maskinporten/scopes` | adds or replaces scopes, a JSON object by scope name |
//! | `POST /admin/maskinporten/trusted-certificates` | trusts more certificates, PEM |
//! | `POST /admin/dnb/clients` | adds or replaces a client, JSON |
//! | `POST /admin/dnb/register` | the registration JWT as text; `?client_id=` adds its key to that client |
//! | `POST /admin/helseid/clients` | adds or replaces a client, JSON |
//! | `POST /admin/altinn/consent-requests/{id}` | what who is asked for consent answers: `{"status": "Accepted"}`, `Rejected` or `Revoked` |
//! | `POST /admin/dnb/psd2/approve` | what a person does at the bank: `{"id": "…"}` of a consent or payment |
//! | `GET /admin/tls/ca` | the certificate to trust for HTTPS, PEM |
//! | `POST /admin/outage`, `DELETE /admin/outage` | begins or ends an [`Outage`], or a list of them |
//! | `POST /admin/api/reject` | makes the APIs refuse a token: `{"jti": "…"}`, or `{"all": true}` |
//! | `GET /admin/requests` | the counters of [`Requests`] |
//!
//! DNB has no registration endpoint: the real bank takes the registration JWT
//! by its contact form, people check it, and the client id comes back by hand.
//! `/admin/dnb/register` stands in for those people.
//!
//! # How strict
//! Where Digdir or DNB document a rule, it is enforced, and with the documented
//! error text where there is one. A refusal whose wording is not public begins
//! like its documented neighbours and then says plainly what is wrong; such a
//! text is no contract.
//!
//! Where practice is known to be milder than the documentation, the
//! documentation wins: `nbf`, `sub` and other claims that it does not list are
//! refused (`tolerated_claims` lets them pass), `aud` must be a string and
//! `resource` an array. Where nothing is known the strict reading is taken:
//! times are whole seconds, and a grant counts as used once its sender is
//! authenticated, even if it is refused afterwards. Make a new assertion for
//! each attempt.
//!
//! Access tokens are signed with keys that are new at each start: RS256 at
//! Maskinporten, ES256 elsewhere.
//!
//! HTTPS takes any client certificate whose key is proven, or none; DNB's token
//! endpoint and API decide what they demand, and tokens are bound to it (RFC 8705).
//! DPoP (RFC 9449) is demanded by the HelseID-like service, and by Maskinporten where
//! it is turned on.
//!
//! Not simulated: revocation, and `iss_onbehalfof` (deprecated, always refused).
//!
//! ```no_run
//! use segl::simulator::{Simulator, SimulatorConfig};
//!
//! # fn main() -> segl::Result<()> {
//! let simulator = Simulator::start(SimulatorConfig::default(), ([127, 0, 0, 1], 0).into())?;
//! println!("audience: {}", simulator.urls().maskinporten_issuer);
//! # Ok(())
//! # }
//! ```

mod access_token;
mod admin;
mod altinn;
mod api;
mod bank;
mod broken_body;
mod client_assertion;
mod client_credentials;
mod config;
mod consents;
mod dnb;
mod dpop;
mod form;
mod helseid;
mod in_progress;
mod issued;
mod key_set;
mod kfr;
mod krr;
mod lanekassen;
mod maskinporten;
mod nav;
mod oauth_error;
mod outage;
mod reply;
mod self_service;
mod server;
mod skatteetaten;
mod state;
mod tls;
mod token_signer;
mod trust;
mod urls;

use crate::jws::received as assertion;
use crate::validate::replay;

pub use config::SimulatorConfig;
pub use kfr::{KfrBatch, KfrRefusal};
pub use outage::{Outage, OutageKind};
pub use server::{RunningSimulator, Simulator};
pub use state::Requests;
pub use urls::Urls;
