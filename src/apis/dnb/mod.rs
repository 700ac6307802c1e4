//! DNB's APIs: any behind access tokens, currency rates, and those for third parties
//! (PSD2).

mod api;
mod currencies;
mod currency;
mod psd2;

pub use api::{DnbApi, DnbCall};
pub use currencies::{CurrencyRate, DnbCurrencies};
pub use currency::{Amount, CurrencyCode};
pub use psd2::{
    Account, AccountAccess, AccountKind, AccountReference, AccountUse, Balance, BankId,
    BookingStatus, ConsentVersion, CreatedConsent, CreatedPayment, DnbPsd2, Payment,
    PaymentProduct, Psu, PsuId, RequestId, Transaction, TransactionQuery, Transactions,
    WantedConsent,
};

pub(super) use api::CallApi;
pub(super) use currencies::CurrencyRates;
pub(super) use psd2::operations;
