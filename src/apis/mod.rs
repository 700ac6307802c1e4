//! APIs behind access tokens, one file an API.

mod altinn;
mod api_path;
mod api_request;
mod authorized;
mod decimal;
mod dnb;
mod errors;
mod header;
mod header_template;
mod iso_date;
mod key_change;
mod operations;
mod raw_json;
mod redirect_url;
mod registered_keys;
mod self_service;
mod service;
mod uuid_type;

pub use crate::token::dpop::asks_for_nonce as asks_for_dpop_nonce;
pub use altinn::{
    Altinn, AltinnParty, ConsentEvent, ConsentId, ConsentRequest, ConsentRight,
    CreatedConsentRequest, MessageLanguage, PortalViewMode, TokenExchange,
};
pub use api_path::ApiPath;
pub use api_request::{ApiRequest, require_allowed};
pub use authorized::Authorized;
pub use decimal::Decimal;
pub use dnb::{
    Account, AccountAccess, AccountKind, AccountReference, AccountUse, Amount, Balance, BankId,
    BookingStatus, ConsentVersion, CreatedConsent, CreatedPayment, CurrencyCode, CurrencyRate,
    DnbApi, DnbCall, DnbCurrencies, DnbPsd2, Payment, PaymentProduct, Psu, PsuId, RequestId,
    Transaction, TransactionQuery, Transactions, WantedConsent,
};
pub use errors::require_success;
pub use iso_date::IsoDate;
pub use key_change::{ChangedKey, KeyAction, KeyChange, WantedKey};
pub use operations::{Operation, schema as operations_schema};
pub use redirect_url::RedirectUrl;
pub use registered_keys::{RegisteredKey, RegisteredKeys};
pub use self_service::SelfService;
