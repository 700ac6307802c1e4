//! The client's keys: that each opens, what it is, and that it signs.

use std::sync::Arc;

use super::super::key::describe;
use super::client::Client;
use super::finding::{Check, Finding};
use super::report::Report;
use crate::error::{Error, ErrorCode};
use crate::keys::describe::Description;
use crate::keys::{HealthState, Signer, x509};
use crate::profiles::{self, ClientSettings};
use crate::token::KeyOpener;

/// One of the client's keys.
pub(super) struct CheckedKey {
    /// `key`, or `keys[0]`.
    pub(super) setting: String,
    /// Its name in findings, if it is one of several.
    pub(super) shown: Option<String>,
    pub(super) settings: ClientSettings,
    /// If it could be opened.
    pub(super) signer: Option<Arc<dyn Signer>>,
}

/// Opens each key and has it sign.
pub(super) fn check(client: &Client<'_>, report: &mut Report) -> Vec<CheckedKey> {
    let each = match client.settings.for_each_key() {
        Ok(each) => each,
        Err(error) => {
            report.add_failure(client.name, Check::Key, error);
            return Vec::new();
        }
    };
    let several = !client.settings.keys.is_empty();
    let keys = each.into_iter().enumerate().map(|(index, settings)| {
        let mut key = CheckedKey {
            setting: match several {
                true => format!("keys[{index}]"),
                false => "key".to_owned(),
            },
            shown: several.then(|| format!("keys[{index}]")),
            settings,
            signer: None,
        };
        key.check(client, report);
        key
    });
    keys.collect()
}

impl CheckedKey {
    fn check(&mut self, client: &Client<'_>, report: &mut Report) {
        let step = client.step(&format!("opening {}", self.setting));
        let (opened, _) = client.steps.run(&step, |call| {
            let uri = self.settings.key.as_ref().ok_or_else(missing)?;
            let public_key = profiles::certificates(&self.settings).ok().flatten();
            let public_key = public_key.as_deref().and_then(x509::leaf_key);
            client.keys.open(uri.expose(), None, public_key, call)
        });
        let shown = self.shown.as_deref();
        let signer = match opened {
            Ok(signer) => signer,
            Err(error) => {
                let finding = Finding::failed_with(Check::Key, self.named(error));
                report.add(Some(client.name), finding);
                let reason = Finding::skipped(Check::Signature, "the key is not open");
                return report.add(Some(client.name), reason.of_key(shown));
            }
        };
        report.add(Some(client.name), self.description(&*signer).of_key(shown));
        let step = client.step(&format!("signing with {}", self.setting));
        let (signed, took) = client.steps.run(&step, |call| signer.probe(call));
        let finding = match signed {
            Ok(()) => health(&*signer),
            Err(error) => Finding::failed_with(Check::Signature, self.named(error)),
        };
        report.add(Some(client.name), finding.taking(took).of_key(shown));
        self.signer = Some(signer);
    }

    /// `error`, naming this key if it is one of several, as the client itself does.
    pub(super) fn named(&self, error: Error) -> Error {
        let Some(name) = &self.shown else {
            return error;
        };
        let path = |path: String| format!("{name}.{path}");
        error
            .with_details(|details| details.config_path = details.config_path.take().map(path))
            .in_context(name)
    }

    fn description(&self, signer: &dyn Signer) -> Finding {
        let is = Description::of(signer);
        let mut what = format!(
            "{}: {}, {}",
            is.uri.as_deref().unwrap_or(is.kind),
            describe(signer.public_key()),
            is.algorithms.join(" ")
        );
        match &self.settings.kid {
            Some(kid) => what.push_str(&format!(", kid {}", kid.escape_debug())),
            None => what.push_str(&format!(", thumbprint {}", is.thumbprint)),
        }
        if let Some(token) = &is.token {
            what.push_str(&format!(", on {token}"));
        }
        match (is.kind, is.extractable) {
            ("file", _) => Finding::ok(Check::Key, what),
            (_, Some(false)) => Finding::ok(Check::Key, what + ", cannot leave it"),
            (_, known) => Finding::note(
                Check::Key,
                what + match known {
                    Some(_) => "; the private key can leave it",
                    None => "; it does not say whether the private key can leave it",
                },
                "make a key that cannot, with \"segl key generate --token URI\", if this one is to stay there",
            ),
        }
    }
}

/// After a signature that was made.
fn health(signer: &dyn Signer) -> Finding {
    let health = signer.health();
    if health.state == HealthState::Ready {
        return Finding::ok(Check::Signature, "the key signs");
    }
    let problem = health.problem.unwrap_or_default();
    Finding::warning(
        Check::Signature,
        format!("the key signs, but its home is not well: {problem}"),
        "look again with \"segl key health URI --watch 5\"",
    )
}

fn missing() -> Error {
    Error::new(
        ErrorCode::Config,
        "setting \"key\" is missing; set it, or \"keys\", to a pkcs11:, awskms: or file: URI",
    )
    .with_details(|details| details.config_path = Some("key".to_owned()))
}
