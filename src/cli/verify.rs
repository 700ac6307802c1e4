//! `segl verify`

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use serde_json::{Map, Value};

use super::input::{json_object, text_or_stdin};
use super::output::{Output, on_one_line};
use crate::call::Call;
use crate::config::Config;
use crate::error::{Error, ErrorCode, Result};
use crate::person_id::{PersonId, without_numbers};
use crate::profiles::{Environment, Scope};
use crate::validate::{
    Consent, IssuedOrganisation, LegacyConsent, Party, Requirements, Supplier, Validator,
    ValidatorSettings, VerifiedToken,
};

#[derive(Args)]
#[group(id = "whose", required = true, multiple = false, args = ["validator", "environment", "issuer"])]
pub(super) struct Arguments {
    /// The access token, or "-" for standard input.
    #[arg(value_name = "TOKEN")]
    token: String,
    /// The validator's name in the configuration.
    #[arg(long, value_name = "NAME")]
    validator: Option<String>,
    /// The configuration, TOML or JSON.
    #[arg(
        long,
        value_name = "FILE",
        default_value = "segl.toml",
        requires = "validator"
    )]
    config: PathBuf,
    /// Without a configuration: takes Maskinporten's tokens of this environment.
    #[arg(long, value_name = "test|prod", value_parser = environment)]
    environment: Option<Environment>,
    /// Without a configuration: takes the tokens of this issuer.
    #[arg(long, value_name = "URL")]
    issuer: Option<String>,
    /// Where the issuer's keys are; left out, its metadata say it.
    #[arg(long, value_name = "URL", conflicts_with = "validator")]
    jwks_uri: Option<String>,
    /// Where the issuer's metadata are, when not in their usual place.
    #[arg(long, value_name = "URL", conflicts_with_all = ["validator", "jwks_uri"])]
    metadata: Option<String>,
    /// A signature algorithm to accept, instead of RS256, RS384 and RS512; may be repeated.
    #[arg(long = "alg", value_name = "ALG", conflicts_with = "validator")]
    algorithms: Vec<String>,
    /// The certificates (PEM) that the issuer's is checked against in TLS.
    #[arg(long, value_name = "FILE", conflicts_with = "validator")]
    ca_file: Option<PathBuf>,
    #[command(flatten)]
    required: Required,
    /// Prints the person that the token is restricted to or whose consent it has, what
    /// narrows the consent down, and all claims.
    #[arg(long)]
    show_person: bool,
    /// Gives up after this many seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    timeout: u32,
}

#[derive(Args)]
struct Required {
    /// A scope that the token must have; may be repeated.
    #[arg(long = "scope", value_name = "SCOPE")]
    scopes: Vec<String>,
    /// What aud must be or have in it.
    #[arg(long, value_name = "URI")]
    audience: Option<String>,
    /// The organisation that the token must be of.
    #[arg(long, value_name = "ORGNO")]
    consumer: Option<String>,
    /// The organisation that it must be delegated to, or "none".
    #[arg(long, value_name = "ORGNO|none")]
    supplier: Option<String>,
    /// All that is required as JSON, for example {"pid": …, "consent": {"from": …, "resources":
    /// […]}, "dpop": {…}, "client_certificate": …}; excludes the options above. This text,
    /// @FILE, or "-" for standard input. Arguments can be seen by other users of the machine:
    /// give persons' identifiers in the other ways.
    #[arg(
        long,
        value_name = "JSON|@FILE|-",
        conflicts_with_all = ["scopes", "audience", "consumer", "supplier"]
    )]
    requirements: Option<String>,
}

pub(super) fn run(arguments: &Arguments, output: &Output) -> Result<()> {
    if arguments.token == "-" && arguments.required.requirements.as_deref() == Some("-") {
        return Err(Error::new(
            ErrorCode::InvalidArgument,
            "the token and --requirements are both read from standard input; give one of them otherwise",
        ));
    }
    let requirements = arguments.required.read()?;
    let validator = arguments.validator()?;
    let token = text_or_stdin(&arguments.token, "the token")?;
    let call = Call::within(Duration::from_secs(arguments.timeout.into()));
    let verified = validator.check(token.trim(), &requirements, &call)?;
    output.value(
        &as_json(&verified, arguments.show_person)?,
        &text(&verified, arguments.show_person),
    )
}

impl Arguments {
    fn validator(&self) -> Result<Validator> {
        if let Some(name) = &self.validator {
            return Validator::from_config(&Config::from_file(&self.config)?, name);
        }
        let algorithms = self.algorithms.iter().map(|name| name.parse());
        Validator::new(ValidatorSettings {
            environment: self.environment,
            issuer: self.issuer.clone(),
            metadata: self.metadata.clone(),
            jwks_uri: self.jwks_uri.clone(),
            algorithms: algorithms.collect::<Result<_>>()?,
            ca_file: self.ca_file.clone(),
            ..ValidatorSettings::default()
        })
    }
}

impl Required {
    fn read(&self) -> Result<Requirements> {
        if let Some(data) = &self.requirements {
            return Requirements::from_json(&json_object(data, "--requirements")?);
        }
        let mut requirements = Requirements::default();
        if !self.scopes.is_empty() {
            let scopes = self.scopes.iter().map(|scope| scope.parse::<Scope>());
            requirements.scopes = Some(scopes.collect::<Result<_>>()?);
        }
        requirements.audience.clone_from(&self.audience);
        let consumer = self.consumer.as_deref().map(str::parse);
        requirements.consumer = consumer
            .transpose()
            .map_err(|error: Error| error.in_context("--consumer"))?;
        requirements.supplier = match self.supplier.as_deref() {
            None => Supplier::Any,
            Some("none") => Supplier::None,
            Some(orgno) => Supplier::Org(
                orgno
                    .parse()
                    .map_err(|error: Error| error.in_context("--supplier"))?,
            ),
        };
        Ok(requirements)
    }
}

fn environment(text: &str) -> std::result::Result<Environment, String> {
    match text {
        "test" => Ok(Environment::Test),
        "prod" => Ok(Environment::Prod),
        _ => Err("give test or prod".to_owned()),
    }
}

/// Stands for what is not shown.
const REDACTED: &str = "[redacted]";

fn as_json(token: &VerifiedToken, show_person: bool) -> Result<Value> {
    let mut json = Value::clone(&*token.to_json()?);
    json["verified"] = true.into();
    if let Value::Object(members) = &mut json {
        if !show_person {
            redact(members, token);
        }
        members.sort_keys();
    }
    Ok(json)
}

/// Takes persons away, and what may have them in it.
fn redact(members: &mut Map<String, Value>, token: &VerifiedToken) {
    members.remove("claims");
    if token.person().is_some() {
        members.insert("pid".to_owned(), REDACTED.into());
    }
    for (name, giver) in [
        ("consent", token.consent().map(|consent| &consent.from)),
        (
            "legacy_consent",
            token.legacy_consent().map(|consent| &consent.from),
        ),
    ] {
        if let (Some(consent), Some(Party::Person(_))) = (members.get_mut(name), giver) {
            consent["from"] = REDACTED.into();
        }
    }
    for (name, found) in [
        ("consumer", token.consumer()),
        ("supplier", token.supplier()),
    ] {
        if let (Some(member), Some(found)) = (members.get_mut(name), found) {
            member["id"] = without_person(found, &found.id()).into();
        }
    }
    let consent = members.get_mut("consent");
    let rights = consent.and_then(|consent| consent.get_mut("consentRights")?.as_array_mut());
    for right in rights.into_iter().flatten() {
        if let Some(metadata) = right.get_mut("metadata") {
            redact_values(metadata);
        }
    }
    // Its parameters have the person's name.
    let consent = members.get_mut("legacy_consent");
    let services = consent.and_then(|consent| consent.get_mut("services")?.as_object_mut());
    for parameters in services.into_iter().flat_map(Map::values_mut) {
        redact_values(parameters);
    }
}

/// Leaves the names of an object, for its values are the words of whoever asked for the
/// consent, and may be about a person.
fn redact_values(object: &mut Value) {
    for value in object.as_object_mut().into_iter().flat_map(Map::values_mut) {
        *value = REDACTED.into();
    }
}

/// What tells `found`, as `told`. Registers but those of ISO 6523 may be of persons.
fn without_person(found: &IssuedOrganisation, told: &str) -> String {
    match found {
        IssuedOrganisation::Eseal { .. } | IssuedOrganisation::Other { .. } => {
            without_numbers(told)
        }
        _ => told.to_owned(),
    }
}

fn text(token: &VerifiedToken, show_person: bool) -> String {
    let organisation = |found: &IssuedOrganisation| match show_person {
        true => found.to_string(),
        false => without_person(found, &found.to_string()),
    };
    let joined = |texts: Vec<&str>| (!texts.is_empty()).then(|| texts.join(" "));
    let person = |person: &PersonId| match show_person {
        true => person.expose().to_owned(),
        false => REDACTED.to_owned(),
    };
    let bound = token.confirmation();
    let lines = [
        ("issuer", Some(token.issuer().to_owned())),
        ("consumer", token.consumer().map(organisation)),
        ("supplier", token.supplier().map(organisation)),
        (
            "delegated in",
            token.delegation_source().map(ToOwned::to_owned),
        ),
        ("client", token.client_id().map(ToOwned::to_owned)),
        ("scopes", joined(token.scopes().collect())),
        ("audience", joined(token.audiences().collect())),
        ("person", token.person().map(person)),
        ("key", bound.and_then(|bound| bound.jkt.clone())),
        (
            "certificate",
            bound.and_then(|bound| bound.x5t_s256.clone()),
        ),
        ("consent", consent(token, show_person)),
        (
            "Altinn 2",
            token
                .legacy_consent()
                .map(|consent| legacy_consent(consent, show_person)),
        ),
        ("expires", Some(token.expires_at().to_string())),
    ];
    let mut text = "the token is good".to_owned();
    for (name, value) in lines {
        if let Some(value) = value {
            text.push_str(&format!("\n{name:12}  {}", on_one_line(&value)));
        }
    }
    text
}

/// The consent that was required, else the one that the token has.
fn consent(token: &VerifiedToken, show_person: bool) -> Option<String> {
    if let Some(consent) = token.consent() {
        return Some(consent_text(consent, show_person));
    }
    let read = Consent::in_details(token.authorization_details());
    let consent = read.ok().flatten()?;
    let text = consent_text(&consent, show_person);
    Some(format!("{text}; none was required, so it was not checked"))
}

fn consent_text(consent: &Consent, show_person: bool) -> String {
    let rights = consent.rights.iter().map(|right| {
        let (actions, resources) = (right.actions.join(", "), right.resources.join(", "));
        let mut metadata = Value::clone(&right.metadata);
        if !show_person {
            redact_values(&mut metadata);
        }
        match metadata.as_object().is_none_or(Map::is_empty) {
            true => format!("{actions} of {resources}"),
            false => format!("{actions} of {resources} {metadata}"),
        }
    });
    format!(
        "of {} to {} until {}: {}",
        party(&consent.from, show_person),
        consent.to,
        consent.valid_to,
        rights.collect::<Vec<_>>().join("; ")
    )
}

fn legacy_consent(consent: &LegacyConsent, show_person: bool) -> String {
    let services: Vec<_> = consent.services().map(ToString::to_string).collect();
    format!(
        "consent of {} to {} until {}: {}",
        party(&consent.from, show_person),
        consent.to,
        consent.valid_to,
        services.join(" ")
    )
}

fn party(party: &Party, show_person: bool) -> String {
    match party {
        Party::Organisation(orgno) => orgno.to_string(),
        Party::Person(person) if show_person => person.expose().to_owned(),
        Party::Person(_) => format!("a person {REDACTED}"),
    }
}
