//! `awskms:` URIs.

use std::fmt;

use super::PinPolicy;
use super::grammar::{self, Attribute, Place};
use super::percent::encode_location;
use crate::endpoint::Endpoint;
use crate::error::Result;

/// `awskms:alias/NAME?region=eu-north-1`: a key in AWS KMS, named by its alias, its
/// id or the ARN of either.
#[derive(Debug, Clone)]
pub struct AwsKmsUri {
    name: KmsKeyName,
    region: Option<String>,
    profile: Option<String>,
    endpoint: Option<Endpoint>,
    fips: bool,
    allow_process: bool,
}

/// What KMS calls `KeyId` in its requests.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KmsKeyName {
    /// A key's id: a UUID, or `mrk-` and 32 hexadecimal digits.
    Id(String),
    /// An alias, without `alias/`.
    Alias(String),
    /// The ARN of a key or an alias.
    Arn {
        /// `aws`, `aws-cn`, `aws-us-gov` or another.
        partition: String,
        /// For example `eu-north-1`.
        region: String,
        /// Twelve digits.
        account: String,
        /// What the ARN names: an id or an alias.
        resource: Box<KmsKeyName>,
    },
}

impl AwsKmsUri {
    /// Parses what follows `awskms:`, which is at character `start` of the URI.
    pub(super) fn parse(rest: &str, start: usize, policy: PinPolicy) -> Result<Self> {
        if rest.contains('#') {
            return Err(grammar::refusal(
                "\"#\" begins a fragment, which a key in KMS has not",
            ));
        }
        let (name, query) = rest.split_once('?').unwrap_or((rest, ""));
        let mut uri = Self {
            name: KmsKeyName::parse(name)?,
            region: None,
            profile: None,
            endpoint: None,
            fips: false,
            allow_process: policy.allow_command,
        };
        let mut seen = Vec::new();
        for attribute in grammar::attributes(query, Place::Query, start + name.len() + 1) {
            let attribute = attribute?;
            if seen.contains(&attribute.name().to_owned()) {
                return Err(attribute.refuse("is there already; keep one of the two"));
            }
            uri.set(&attribute)?;
            seen.push(attribute.name().to_owned());
        }
        uri.require_consistent()?;
        Ok(uri)
    }

    /// The key.
    pub fn name(&self) -> &KmsKeyName {
        &self.name
    }

    /// `region`, else the one in the ARN.
    pub fn region(&self) -> Option<&str> {
        self.region.as_deref().or(match &self.name {
            KmsKeyName::Arn { region, .. } => Some(region),
            _ => None,
        })
    }

    /// `profile`: the only profile whose credentials are used.
    pub fn profile(&self) -> Option<&str> {
        self.profile.as_deref()
    }

    /// `endpoint`: where KMS is, in the place of AWS's own address.
    pub fn endpoint(&self) -> Option<&Endpoint> {
        self.endpoint.as_ref()
    }

    /// `fips=true`: AWS's endpoint with validated cryptography.
    pub fn fips(&self) -> bool {
        self.fips
    }

    /// Whether a profile's `credential_process` may be run: the policy for PINs from
    /// commands decides.
    pub fn allow_process(&self) -> bool {
        self.allow_process
    }

    /// The same key's URI in another region. An ARN is not changed.
    #[must_use]
    pub fn with_region(mut self, region: &str) -> Self {
        self.region = Some(region.to_owned());
        self
    }

    fn set(&mut self, attribute: &Attribute<'_>) -> Result<()> {
        match attribute.name() {
            "region" => {
                let region = attribute.text()?;
                if !is_region(&region) {
                    return Err(attribute.refuse("is no region; write for example eu-north-1"));
                }
                self.region = Some(region);
            }
            "profile" => {
                let profile = attribute.text()?;
                if profile.is_empty() || profile.contains(['\n', '\r', '[', ']', '\0']) {
                    return Err(attribute.refuse("is no name of a profile"));
                }
                self.profile = Some(profile);
            }
            "endpoint" => {
                let endpoint = attribute.text()?.parse::<Endpoint>();
                let endpoint = endpoint.map_err(|error| {
                    grammar::refusal(format_args!("{attribute}: {}", error.message()))
                })?;
                self.endpoint = Some(endpoint);
            }
            "fips" => match attribute.literal() {
                "true" => self.fips = true,
                "false" => self.fips = false,
                _ => return Err(attribute.refuse("must be true or false")),
            },
            "pin-source" | "pin-value" => {
                return Err(attribute.refuse(
                    "has no meaning for AWS KMS, which has no PIN; credentials come from AWS's usual places",
                ));
            }
            _ => {
                return Err(attribute.refuse(
                    "is not known in awskms: URIs; region, profile, endpoint and fips are",
                ));
            }
        }
        Ok(())
    }

    fn require_consistent(&self) -> Result<()> {
        if let (Some(own), KmsKeyName::Arn { region, .. }) = (&self.region, &self.name)
            && own != region
        {
            return Err(grammar::refusal(format_args!(
                "the query's region \"{own}\" is not the ARN's, \"{region}\"; remove the query's"
            )));
        }
        if self.endpoint.is_some() && self.fips {
            return Err(grammar::refusal(
                "fips=true chooses an endpoint of AWS and cannot stand beside endpoint=; remove one of them",
            ));
        }
        Ok(())
    }
}

/// The URI in canonical form. It parses to the same URI.
impl fmt::Display for AwsKmsUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "awskms:{}", self.name)?;
        let fips = self.fips.then_some("true");
        let endpoint = self.endpoint.as_ref().map(Endpoint::as_str);
        let attributes = [
            ("region", self.region.as_deref()),
            ("profile", self.profile.as_deref()),
            ("endpoint", endpoint),
            ("fips", fips),
        ];
        let mut delimiter = '?';
        for (name, value) in attributes {
            if let Some(value) = value {
                write!(f, "{delimiter}{name}={}", encode_location(value))?;
                delimiter = '&';
            }
        }
        Ok(())
    }
}

impl KmsKeyName {
    fn parse(text: &str) -> Result<Self> {
        if text.starts_with('/') {
            return Err(grammar::refusal(
                "what follows \"awskms:\" begins with a slash; write awskms:alias/NAME, awskms:KEY-ID or awskms:ARN",
            ));
        }
        let Some(arn) = text.strip_prefix("arn:") else {
            return Self::parse_resource(text, "").ok_or_else(|| {
                grammar::refusal(
                    "what follows \"awskms:\" is neither alias/NAME (letters, digits, \"-\", \"_\" and \"/\"), nor a key id \
                     (a UUID, or mrk- and 32 hexadecimal digits), nor an ARN of one of them; aliases \
                     that begin with aws/ are AWS's own keys, which do not sign",
                )
            });
        };
        let refuse = || {
            grammar::refusal(
                "the ARN is not of the form arn:aws:kms:REGION:ACCOUNT:key/ID or arn:aws:kms:REGION:ACCOUNT:alias/NAME",
            )
        };
        let parts: Vec<&str> = arn.splitn(5, ':').collect();
        let [partition, "kms", region, account, resource] = parts[..] else {
            return Err(refuse());
        };
        let is_partition = partition.starts_with("aws")
            && partition
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte == b'-');
        let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
        let named = Self::parse_resource(resource, "key/")
            .filter(|_| is_partition && is_region(region) && is_account);
        Ok(Self::Arn {
            partition: partition.to_owned(),
            region: region.to_owned(),
            account: account.to_owned(),
            resource: Box::new(named.ok_or_else(refuse)?),
        })
    }

    /// `alias/NAME`, or a key's id after `prefix`.
    fn parse_resource(text: &str, prefix: &str) -> Option<Self> {
        if let Some(alias) = text.strip_prefix("alias/") {
            let is_alias = !alias.is_empty()
                && text.len() <= 256
                && !alias.starts_with("aws/")
                && alias
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b":/_-".contains(&byte));
            return is_alias.then(|| Self::Alias(alias.to_owned()));
        }
        let id = text.strip_prefix(prefix)?;
        is_key_id(id).then(|| Self::Id(id.to_owned()))
    }

    /// The alias, without `alias/`, if it is one.
    pub fn alias(&self) -> Option<&str> {
        match self {
            Self::Alias(alias) => Some(alias),
            Self::Id(_) => None,
            Self::Arn { resource, .. } => resource.alias(),
        }
    }
}

/// As KMS takes it for `KeyId`.
impl fmt::Display for KmsKeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => f.write_str(id),
            Self::Alias(alias) => write!(f, "alias/{alias}"),
            Self::Arn {
                partition,
                region,
                account,
                resource,
            } => {
                let kind = match **resource {
                    Self::Id(_) => "key/",
                    _ => "",
                };
                write!(f, "arn:{partition}:kms:{region}:{account}:{kind}{resource}")
            }
        }
    }
}

/// True for what can be a region. It becomes part of a host's name.
pub(crate) fn is_region(text: &str) -> bool {
    (1..=32).contains(&text.len())
        && text.starts_with(|first: char| first.is_ascii_lowercase())
        && !text.ends_with('-')
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

fn is_key_id(text: &str) -> bool {
    let is_hex = |text: &str| {
        text.bytes()
            .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
    };
    match text.strip_prefix("mrk-") {
        Some(digits) => digits.len() == 32 && is_hex(digits),
        None => {
            let groups: Vec<&str> = text.split('-').collect();
            let lengths: Vec<usize> = groups.iter().map(|group| group.len()).collect();
            lengths == [8, 4, 4, 4, 12] && groups.iter().all(|group| is_hex(group))
        }
    }
}
