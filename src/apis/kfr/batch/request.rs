//! One request with many relations.

use super::{MaxRelations, SentPart};
use crate::apis::header_template::Values;
use crate::apis::kfr::{
    BatchForm, Boundary, CorrelationId, FormStyle, Kfr, Relation, institution_path,
};
use crate::apis::service::Repeat;
use crate::call::Call;
use crate::error::{Error, ErrorCode, Result};
use crate::http::Method;
use crate::keys::OrgNumber;

impl Kfr {
    /// Adds the customers of a short list in one request. It may be sent again after a
    /// failure that passes, for KFR keeps a relation that it has as it is.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` for an empty list, or one of more than [`MaxRelations::largest`];
    /// the API numbers of [`crate::ErrorCode`], with KFR's own code; those of the token
    /// endpoint.
    pub fn send_relations(
        &self,
        institution: &OrgNumber,
        relations: &[Relation],
        style: FormStyle,
        call: &Call,
    ) -> Result<SentPart> {
        if relations.is_empty() || relations.len() > MaxRelations::largest().get() {
            return Err(Error::new(
                ErrorCode::InvalidArgument,
                format!(
                    "a request has 1 to {} relations, this list {}; put longer ones into a file",
                    MaxRelations::largest().get(),
                    relations.len()
                ),
            ));
        }
        let mut form = BatchForm::new(Boundary::new(), style, relations.len());
        for relation in relations {
            form.push(relation);
        }
        let correlation_id = self
            .post_batch(institution, form, call)
            .map_err(|error| in_doubt(error, "the list"))?;
        Ok(SentPart {
            relations: relations.len() as u64,
            correlation_id,
        })
    }

    pub(super) fn post_batch(
        &self,
        institution: &OrgNumber,
        form: BatchForm,
        call: &Call,
    ) -> Result<CorrelationId> {
        let path = institution_path(institution, &["batch"]);
        let (mut request, id) = self.request(Method::Post, &path, &[], Values::default())?;
        let is_type = |name: &str| name.eq_ignore_ascii_case("Content-Type");
        if request.headers.iter().any(|(name, _)| is_type(name)) {
            let path = "services.kfr.headers.Content-Type".to_owned();
            return Err(Error::new(
                ErrorCode::Config,
                format!("setting \"{path}\" would hide the boundary of the batch; leave it out"),
            )
            .with_details(|details| details.config_path = Some(path)));
        }
        let (media_type, body) = form.finish();
        request = request.header("Content-Type", media_type);
        request.body = body;
        // Adding a relation that KFR has changes nothing (200 of the single call).
        let answer = self.send(&(request, id), Repeat::Safe, call)?;
        answer.require_status(&[201])?;
        Ok(answer.correlation_id())
    }
}

/// Names what was sent, and says where KFR may have accepted it all the same.
pub(super) fn in_doubt(error: Error, what: &str) -> Error {
    let is_refused = !matches!(
        error.code(),
        ErrorCode::Network
            | ErrorCode::Timeout
            | ErrorCode::Cancelled
            | ErrorCode::ResponseTooLarge
            | ErrorCode::ApiServer
            | ErrorCode::ApiBadResponse
    );
    match is_refused {
        true => error.in_context(what),
        false => error.in_context(format_args!(
            "{what}, of which it is not known whether KFR accepted it, but which may be sent again without harm"
        )),
    }
}
