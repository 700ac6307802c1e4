//! One client, from its keys to its token.

use std::sync::Arc;

use super::finding::Check;
use super::known_keys::KnownKeys;
use super::report::Report;
use super::steps::Steps;
use super::{
    certificate, clock, dpop, files, key, network, registration, settings, shared_cache, tls, token,
};
use crate::call::Call;
use crate::config::Config;
use crate::error::Result;
use crate::profiles::ClientSettings;
use crate::token::TokenClient;

/// A client that is to be checked, and how.
pub(super) struct Client<'a> {
    pub(super) name: &'a str,
    pub(super) settings: &'a ClientSettings,
    pub(super) config: &'a Config,
    pub(super) keys: &'a Arc<KnownKeys>,
    pub(super) steps: &'a Steps,
    pub(super) wants_token: bool,
    /// The client that may use the administration API.
    pub(super) admin: Option<&'a str>,
}

impl Client<'_> {
    /// Every check, whatever the others find.
    pub(super) fn check(&self, report: &mut Report) {
        for finding in files::check_client(self) {
            report.add(Some(self.name), finding);
        }
        // A client that its certificate authenticates has no other key.
        let keys = match self.settings.authenticates_by_tls() {
            true => Vec::new(),
            false => key::check(self, report),
        };
        certificate::check(self, &keys, report);
        tls::check(self, report);
        dpop::check(self, report);
        let client = settings::check(self, report);
        let reached = network::check(self, report);
        // The token's exchange tells of the clock, and the clock may be why there
        // is none.
        let asked = token::ask(self, client.as_ref(), reached.as_ref());
        let skew = client.as_ref().and_then(|c| c.token_health().clock_skew_ms);
        let skew = skew.or_else(|| reached.as_ref()?.clock_skew_ms);
        report.add(Some(self.name), clock::finding(skew));
        match asked {
            Ok(finding) => report.add(Some(self.name), finding),
            Err(error) => report.add_failure(self.name, Check::Token, error),
        }
        registration::check(self, &keys, report);
        if let Some(described) = &self.settings.shared_cache {
            match shared_cache::probe(self, described) {
                Ok(finding) => report.add(Some(self.name), finding),
                Err(error) => report.add_failure(self.name, Check::SharedCache, error),
            }
        }
    }

    /// The client called `name`, with keys that are opened once.
    ///
    /// # Errors
    /// As [`crate::token::TokenClientBuilder::build`].
    pub(super) fn open(&self, name: &str, call: &Call) -> Result<TokenClient> {
        TokenClient::builder(self.config.client(name)?.clone())
            .pin_policy(self.config.pin_policy())
            .key_opener(Arc::clone(self.keys) as Arc<_>)
            .build(call)
    }

    /// What is told while a step lasts.
    pub(super) fn step(&self, what: &str) -> String {
        format!("client \"{}\": {what}", self.name)
    }
}
