//! APIs behind access tokens, one file or folder a service.
//!
//! Each service is a type over a [`TokenClient`](crate::TokenClient) with typed requests
//! and answers, and each of its calls an [`Operation`] with a name, JSON in and JSON out.
//! [`ApiRequest`] goes to any other API. `docs/services.md` has a section a service.
//!
//! ```no_run
//! use std::sync::Arc;
//!
//! use segl::apis::{Krr, Operation};
//! use segl::{Call, Config, PersonId, TokenClient, TokenRequest};
//!
//! # fn main() -> segl::Result<()> {
//! let config = Config::from_file("segl.toml".as_ref())?;
//! let client = Arc::new(TokenClient::from_config(&config, "agency", &Call::none())?);
//!
//! let krr = Krr::new(Arc::clone(&client), TokenRequest::default())?;
//! let person: PersonId = "23079421936".parse()?;
//! let answer = krr.lookup_all([person], &Call::none())?;
//! println!("{} found, {} missing", answer.persons.len(), answer.missing.len());
//!
//! // The same by name.
//! let operation = Operation::named("krr.lookup")?;
//! let input = r#"{"persons": ["23079421936"]}"#;
//! let answer = operation.call(&client, &TokenRequest::default(), input, &Call::none())?;
//! println!("{} bytes of JSON", answer.len());
//! # Ok(())
//! # }
//! ```

pub mod altinn;
mod api_path;
mod api_request;
mod authorized;
mod code_list;
mod consent_query;
mod consent_token;
mod decimal;
pub mod dnb;
pub mod dsop_control;
mod errors;
mod header;
mod header_template;
mod iso_date;
mod json_answer;
mod json_body;
mod key_change;
pub mod kfr;
pub mod krr;
pub mod lanekassen;
mod nav;
mod operations;
mod redirect_url;
mod registered_keys;
mod self_service;
mod service;
mod skatteetaten;
mod timestamp;
mod uuid_type;

pub use crate::token::dpop::asks_for_nonce as asks_for_dpop_nonce;
pub use altinn::Altinn;
pub use api_path::ApiPath;
pub use api_request::{ApiRequest, require_allowed};
pub use authorized::Authorized;
pub use consent_query::ConsentQuery;
pub use consent_token::ConsentToken;
pub use decimal::Decimal;
pub use dnb::{DnbApi, DnbCurrencies, DnbPsd2};
pub use dsop_control::DsopControl;
pub use errors::require_success;
pub use iso_date::IsoDate;
pub use json_answer::JsonAnswer;
pub use key_change::{ChangedKey, KeyAction, KeyChange, WantedKey};
pub use kfr::Kfr;
pub use krr::Krr;
pub use lanekassen::Lanekassen;
pub use nav::Nav;
pub use operations::{Operation, schema as operations_schema};
pub use redirect_url::RedirectUrl;
pub use registered_keys::{RegisteredKey, RegisteredKeys};
pub use self_service::SelfService;
pub use skatteetaten::Skatteetaten;
pub use timestamp::Timestamp;
