//! What an API says in `WWW-Authenticate` (RFC 9110 section 11.6.1, RFC 9449 sections
//! 7.1 and 9).

use crate::http::Response;

/// True for a 401 that asks for the request once more, with a nonce in its proof.
pub fn asks_for_nonce(answer: &Response) -> bool {
    answer.status == 401 && error(answer).as_deref() == Some("use_dpop_nonce")
}

/// True for a 401 that is about the proof.
pub(crate) fn refuses_proof(answer: &Response) -> bool {
    answer.status == 401 && error(answer).as_deref() == Some("invalid_dpop_proof")
}

/// `error` of the first challenge with the scheme DPoP that has one.
fn error(answer: &Response) -> Option<String> {
    let mut challenges = challenges(answer).filter(Challenge::is_dpop);
    challenges.find_map(|challenge| challenge.error)
}

/// One scheme that a server offers.
#[derive(Debug, Default, PartialEq, Eq)]
struct Challenge {
    scheme: String,
    error: Option<String>,
}

impl Challenge {
    fn is_dpop(&self) -> bool {
        self.scheme.eq_ignore_ascii_case("DPoP")
    }
}

fn challenges(answer: &Response) -> impl Iterator<Item = Challenge> {
    let headers = answer.headers.iter();
    let values = headers.filter(|(name, _)| name == "www-authenticate");
    values.flat_map(|(_, value)| read(value.as_str()))
}

/// The challenges of one header: `Scheme name=value, name="value", Scheme …`.
fn read(value: &str) -> Vec<Challenge> {
    let mut challenges: Vec<Challenge> = Vec::new();
    for part in split_outside_quotes(value) {
        let (name, rest) = match part.split_once('=') {
            Some((name, rest)) => (name.trim(), Some(rest.trim())),
            None => (part, None),
        };
        // A scheme stands before the first parameter, with a blank between them.
        let (scheme, name) = match (name.split_once([' ', '\t']), rest) {
            (Some((scheme, name)), _) => (Some(scheme), name.trim()),
            (None, Some(_)) => (None, name),
            (None, None) => (Some(name), ""),
        };
        if let Some(scheme) = scheme {
            challenges.push(Challenge {
                scheme: scheme.to_owned(),
                error: None,
            });
        }
        if let (Some(challenge), Some(value)) = (challenges.last_mut(), rest)
            && name.eq_ignore_ascii_case("error")
        {
            challenge.error = Some(value.trim_matches('"').to_owned());
        }
    }
    challenges
}

/// The parts between commas; a comma in a quoted text is none.
fn split_outside_quotes(value: &str) -> Vec<&str> {
    let (mut parts, mut start) = (Vec::new(), 0);
    let (mut is_quoted, mut is_escaped) = (false, false);
    for (at, character) in value.char_indices() {
        match character {
            _ if is_escaped => is_escaped = false,
            '\\' if is_quoted => is_escaped = true,
            '"' => is_quoted = !is_quoted,
            ',' if !is_quoted => {
                parts.push(&value[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&value[start..]);
    let parts = parts.into_iter().map(str::trim);
    parts.filter(|part| !part.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(headers: &[&str]) -> Response {
        let header = |value: &&str| ("www-authenticate".to_owned(), (*value).to_owned());
        Response::new(401, headers.iter().map(header).collect(), Vec::new())
    }

    #[test]
    fn the_error_is_that_of_the_scheme_dpop_wherever_it_stands() {
        // The first is published in RFC 9449 section 9.
        for headers in [
            &[
                r#"DPoP error="use_dpop_nonce", error_description="Resource server requires nonce in DPoP proof""#,
            ][..],
            &[r#"Bearer error="invalid_token", dpop algs="ES256 PS256",error=use_dpop_nonce"#],
            &[
                r#"Bearer realm="a, DPoP error=\"x\"""#,
                "DPoP algs=\"ES256\" , error = \"use_dpop_nonce\"",
            ],
            &[r#"Negotiate, DPoP error="use_dpop_nonce""#],
            &[r#"DPoP algs="ES256""#, r#"DPoP error="use_dpop_nonce""#],
        ] {
            assert!(asks_for_nonce(&answer(headers)), "{headers:?}");
        }
        for headers in [
            &[][..],
            &["DPoP"],
            &[r#"Bearer error="use_dpop_nonce""#],
            &[r#"DPoP error_description="error=use_dpop_nonce, error=\"use_dpop_nonce\"""#],
            &[r#"DPoP error="invalid_token", Bearer error="use_dpop_nonce""#],
        ] {
            assert!(!asks_for_nonce(&answer(headers)), "{headers:?}");
        }
    }
}
