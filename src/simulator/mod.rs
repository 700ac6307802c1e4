//! Maskinporten and DNB on this machine, refusing what the real ones refuse.
//!
//! For tests and demonstrations, offline. Everything is in memory and gone when
//! the simulator stops. Only loopback addresses are served, over plain HTTP.
//!
//! | path | what |
//! |---|---|
//! | `POST /maskinporten/token` | the token endpoint, issuer `{base}/maskinporten/` |
//! | `GET /maskinporten/jwk` | its JWKS |
//! | `GET /maskinporten/.well-known/oauth-authorization-server` | its metadata (RFC 8414) |
//! | `POST /dnb/as/token.oauth2` | the token endpoint, issuer `{base}/dnb` |
//! | `GET /dnb/jwks` | its JWKS |
//! | `GET /dnb/.well-known/openid-configuration` | its metadata |
//! | any method, `/api/echo` | an API for Maskinporten's access tokens; `?scope=` requires a scope |
//! | `/self-service/api/v1/clients…` | Digdir's administration API, as far as keys go |
//! | `POST /admin/maskinporten/clients` | adds or replaces a client, JSON as in [`SimulatorConfig`] |
//! | `POST /admin/maskinporten/scopes` | adds or replaces scopes, a JSON object by scope name |
//! | `POST /admin/maskinporten/trusted-certificates` | trusts more certificates, PEM |
//! | `POST /admin/dnb/clients` | adds or replaces a client, JSON |
//! | `POST /admin/dnb/register` | the registration JWT as text; `?client_id=` adds its key to that client |
//! | `POST /admin/outage`, `DELETE /admin/outage` | begins or ends an [`Outage`], or a list of them |
//! | `POST /admin/api/reject` | makes the API refuse a token: `{"jti": "…"}`, or `{"all": true}` |
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
//! Maskinporten, ES256 at DNB.
//!
//! Not simulated: TLS and client certificates, European eSeals, revocation,
//! and `iss_onbehalfof` (deprecated, always refused).
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

mod admin;
mod api;
mod assertion;
mod bearer;
mod broken_body;
mod config;
mod dnb;
mod form;
mod in_progress;
mod issued;
mod key_set;
mod maskinporten;
mod outage;
mod replay;
mod reply;
mod self_service;
mod server;
mod state;
mod token_signer;

pub use config::SimulatorConfig;
pub use outage::{Outage, OutageKind};
pub use server::{RunningSimulator, Simulator};
pub use state::{Requests, Urls};
