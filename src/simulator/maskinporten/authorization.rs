//! What a client may have: scopes, access and delegation.

use std::collections::BTreeMap;

use super::client::{Client, Scope};
use super::errors::Refusal;
use super::grant::Grant;
use crate::keys::OrgNumber;

/// For whom a token is issued, and for how long.
pub(super) struct Access<'a> {
    /// The legal consumer.
    pub(super) consumer: &'a OrgNumber,
    /// The client's organisation, when it acts for the consumer.
    pub(super) supplier: Option<&'a OrgNumber>,
    /// Seconds.
    pub(super) lifetime: i64,
}

/// Checks the scopes of `grant` against the client, the scopes' own rules and
/// the delegations.
pub(super) fn authorize<'a>(
    grant: &'a Grant<'_>,
    client: &'a Client,
    scopes: &BTreeMap<String, Scope>,
) -> Result<Access<'a>, Refusal> {
    let supplier = grant.consumer_org.as_ref().map(|_| &client.orgno);
    let consumer = grant.consumer_org.as_ref().unwrap_or(&client.orgno);
    if supplier == Some(consumer) {
        return Err(Refusal::own_consumer_org());
    }
    let invalid: Vec<_> = grant
        .scopes
        .iter()
        .copied()
        .filter(|scope| !client.scopes.iter().any(|allowed| allowed == scope))
        .collect();
    if !invalid.is_empty() {
        return Err(Refusal::scopes(&invalid));
    }
    let rules = || {
        grant
            .scopes
            .iter()
            .filter_map(|name| Some((*name, scopes.get(*name)?)))
    };
    if rules().any(|(_, scope)| !scope.integration_types.iter().any(|t| t == "maskinporten")) {
        return Err(Refusal::integration_type());
    }
    for (name, scope) in rules() {
        if scope
            .consumers
            .as_ref()
            .is_some_and(|list| !list.contains(consumer))
        {
            return Err(Refusal::no_access(name));
        }
    }
    if let Some(supplier) = supplier {
        for scope in &grant.scopes {
            if !client.may_act_for(consumer, scope) {
                return Err(Refusal::no_delegation(
                    consumer.as_str(),
                    scope,
                    supplier.as_str(),
                ));
            }
        }
    }
    let lifetime = rules()
        .filter_map(|(_, scope)| scope.at_max_age)
        .fold(client.access_token_lifetime, i64::min);
    Ok(Access {
        consumer,
        supplier,
        lifetime,
    })
}

impl Client {
    fn may_act_for(&self, consumer: &OrgNumber, scope: &str) -> bool {
        self.delegations.iter().any(|delegation| {
            delegation.consumer == *consumer && delegation.scopes.iter().any(|s| s == scope)
        })
    }
}
