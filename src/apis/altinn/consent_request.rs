//! A request for consent, before it is sent.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::super::redirect_url::RedirectUrl;
use super::super::uuid_type::uuid_type;
use super::consent_right;
use super::{AltinnParty, ConsentRight, MessageLanguage};
use crate::clock::UnixTime;
use crate::error::{Error, ErrorCode, Result};
use crate::keys::OrgNumber;
use crate::profiles::{AuthorizationDetail, EndTime};

uuid_type! {
    /// The UUID of a request for consent, which its maker chooses.
    ConsentId, "the id of a request for consent, of its maker's choice,"
}

/// Whether the request is shown in Altinn's portal too, to who has not followed the link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum PortalViewMode {
    /// It is found in the portal.
    Show,
    /// It is found by the link only.
    Hide,
}

/// A request for consent (docs.altinn.studio, "Request consent"). Sending it again with the
/// same id makes no second one: keep the id until there is an answer.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(try_from = "Wire")]
#[schemars(with = "Wire")]
pub struct ConsentRequest {
    id: ConsentId,
    from: AltinnParty,
    to: OrgNumber,
    valid_to: UnixTime,
    rights: Vec<ConsentRight>,
    redirect_url: RedirectUrl,
    required_delegator: Option<AltinnParty>,
    message: BTreeMap<MessageLanguage, String>,
    portal_view_mode: Option<PortalViewMode>,
}

impl ConsentRequest {
    /// Asks `from` to let `to` use `rights` until `valid_to`. `to` is the organisation that
    /// is the token's consumer. The browser is sent to `redirect_url` afterwards, with
    /// `Status` (`OK` or `Failed`) and maybe `ErrorMessage` added to its query.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` without rights.
    pub fn new(
        id: ConsentId,
        from: AltinnParty,
        to: OrgNumber,
        valid_to: UnixTime,
        rights: Vec<ConsentRight>,
        redirect_url: RedirectUrl,
    ) -> Result<Self> {
        if rights.is_empty() {
            return Err(wrong("it asks for nothing; give at least one right"));
        }
        Ok(Self {
            id,
            from,
            to,
            valid_to,
            rights,
            redirect_url,
            required_delegator: None,
            message: BTreeMap::new(),
            portal_view_mode: None,
        })
    }

    /// The same for this person alone to answer, in the place of an organisation.
    #[must_use]
    pub fn with_required_delegator(mut self, delegator: impl Into<AltinnParty>) -> Self {
        self.required_delegator = Some(delegator.into());
        self
    }

    /// The same with a message in one language.
    #[must_use]
    pub fn with_message(mut self, language: MessageLanguage, text: impl Into<String>) -> Self {
        self.message.insert(language, text.into());
        self
    }

    /// The same with its place in Altinn's portal. Left out, Altinn decides.
    #[must_use]
    pub fn with_portal_view_mode(mut self, mode: PortalViewMode) -> Self {
        self.portal_view_mode = Some(mode);
        self
    }

    /// Its id.
    pub fn id(&self) -> ConsentId {
        self.id
    }

    /// What a token request has to say to get a token with this consent, once it was
    /// given.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT`, which does not happen.
    pub fn authorization_detail(&self) -> Result<AuthorizationDetail> {
        AuthorizationDetail::consent(&self.id.to_string(), &self.from.to_urn())
    }

    /// The body, if it is sent at `now`.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` when its time would be over.
    pub(super) fn body(&self, now: UnixTime) -> Result<Body<'_>> {
        if self.valid_to <= now {
            return Err(wrong(&format!(
                "its validTo, {}, has passed; it is now {now}",
                self.valid_to
            )));
        }
        Ok(Body {
            id: self.id,
            from: self.from.to_urn(),
            to: AltinnParty::Organisation(self.to.clone()).to_urn(),
            valid_to: self.valid_to.to_string(),
            consent_rights: self.rights.iter().map(ConsentRight::body).collect(),
            redirect_url: self.redirect_url.as_str(),
            required_delegator: self.required_delegator.as_ref().map(AltinnParty::to_urn),
            request_message: (!self.message.is_empty()).then_some(&self.message),
            portal_view_mode: self.portal_view_mode,
        })
    }
}

/// What Altinn is sent.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Body<'a> {
    id: ConsentId,
    from: Zeroizing<String>,
    to: Zeroizing<String>,
    valid_to: String,
    consent_rights: Vec<consent_right::Body<'a>>,
    redirect_url: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    required_delegator: Option<Zeroizing<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_message: Option<&'a BTreeMap<MessageLanguage, String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    portal_view_mode: Option<PortalViewMode>,
}

/// A request for consent, as Altinn is sent it.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Wire {
    id: ConsentId,
    /// Who is asked.
    from: AltinnParty,
    /// The organisation that is to have the consent.
    to: AltinnParty,
    /// RFC 3339 with an offset; it is sent in UTC.
    valid_to: EndTime,
    consent_rights: Vec<ConsentRight>,
    redirect_url: RedirectUrl,
    required_delegator: Option<AltinnParty>,
    request_message: Option<BTreeMap<MessageLanguage, String>>,
    portal_view_mode: Option<PortalViewMode>,
}

impl TryFrom<Wire> for ConsentRequest {
    type Error = Error;

    fn try_from(wire: Wire) -> Result<Self> {
        let AltinnParty::Organisation(to) = wire.to else {
            return Err(wrong("its \"to\" is an organisation"));
        };
        let request = Self::new(
            wire.id,
            wire.from,
            to,
            wire.valid_to.time(),
            wire.consent_rights,
            wire.redirect_url,
        )?;
        Ok(Self {
            required_delegator: wire.required_delegator,
            message: wire.request_message.unwrap_or_default(),
            portal_view_mode: wire.portal_view_mode,
            ..request
        })
    }
}

fn wrong(problem: &str) -> Error {
    Error::new(ErrorCode::InvalidArgument, problem).in_context("the request for consent")
}
