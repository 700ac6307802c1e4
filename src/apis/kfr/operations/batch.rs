//! `kfr.batch`.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use super::{checked, kfr};
use crate::apis::kfr::{
    Batch, BatchOptions, CorrelationId, FormStyle, MaxRelations, Relation, SentPart,
};
use crate::apis::operations::{Context, Describe};
use crate::error::{Error, ErrorCode, Result};
use crate::keys::OrgNumber;

pub(in crate::apis) struct SendBatch;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::apis) struct BatchInput {
    /// The financial institution's organisation number.
    #[serde(deserialize_with = "checked")]
    #[schemars(with = "String")]
    institution: OrgNumber,
    /// The customers, each as `ID` or `ID#YYYY-MM-DD`; not more than `max_relations`, for
    /// they go in one request. Either this or `file`.
    #[serde(default)]
    #[schemars(with = "Option<Vec<String>>")]
    customers: Option<Vec<Listed>>,
    /// A file with a customer a line, or several between commas.
    #[serde(default)]
    file: Option<PathBuf>,
    /// Where it is written down how far the file has come. Default: its name with
    /// `.kfr-state`.
    #[serde(default)]
    journal: Option<PathBuf>,
    /// Goes on where an interrupted file stopped; begins without a journal.
    #[serde(default)]
    resume: bool,
    /// The most relations of a request, 1 to 400000. Default 10000.
    #[serde(default)]
    #[schemars(with = "Option<u32>")]
    max_relations: Option<MaxRelations>,
    /// How many relations go in a second; 0 is as fast as it goes. Default 250.
    #[serde(default)]
    relations_per_second: Option<u32>,
    /// The most parts of the file that this call sends. Default: all.
    #[serde(default)]
    max_parts: Option<NonZeroUsize>,
    /// How the form is written.
    #[serde(default)]
    form: FormStyle,
    /// A UUID for the request of `customers`, instead of a new one.
    #[serde(default)]
    correlation_id: Option<CorrelationId>,
}

#[derive(Serialize)]
pub(in crate::apis) struct BatchOutput {
    /// Whether all is accepted.
    done: bool,
    parts: usize,
    parts_accepted: usize,
    relations: u64,
    relations_accepted: u64,
    /// Of the parts that this call sent.
    correlation_ids: Vec<String>,
    /// How long to wait before the next part.
    next_in_ms: u64,
    /// Whether Bits wants to be told before.
    should_be_announced: bool,
}

impl Describe for SendBatch {
    const NAME: &'static str = "kfr.batch";
    const SUMMARY: &'static str = "Adds the customers of a list or of a file to KFR.";
    type Input = BatchInput;
    type Output = BatchOutput;

    fn run(input: BatchInput, context: &Context<'_>) -> Result<BatchOutput> {
        let wrong = |problem: &str| Err(Error::new(ErrorCode::InvalidArgument, problem));
        let kfr = kfr(context, input.correlation_id)?;
        match (input.customers, &input.file) {
            (Some(customers), None) => {
                let max = input.max_relations.unwrap_or_default();
                if customers.len() > max.get() {
                    return wrong(
                        "\"customers\" has more than max_relations; put them into a file and give \"file\"",
                    );
                }
                if input.journal.is_some() || input.resume || input.max_parts.is_some() {
                    return wrong(
                        "\"journal\", \"resume\" and \"max_parts\" are about a \"file\"; leave them out",
                    );
                }
                let relations: Vec<_> = customers.into_iter().map(|listed| listed.0).collect();
                let sent =
                    kfr.send_relations(&input.institution, &relations, input.form, context.call)?;
                Ok(BatchOutput::of_list(&sent))
            }
            (None, Some(_)) if input.correlation_id.is_some() => {
                wrong("\"correlation_id\" is for one request; a file's parts have new ones")
            }
            (None, Some(file)) => {
                let options = BatchOptions {
                    max_relations: input.max_relations,
                    relations_per_second: input.relations_per_second,
                    journal: input.journal,
                    resume: input.resume,
                    form: input.form,
                };
                let mut batch = kfr.batch(&input.institution, file, &options, context.call)?;
                send_parts(&mut batch, input.max_parts, context)
            }
            _ => wrong("give either \"customers\" or \"file\""),
        }
    }
}

/// Sends what the number of parts and the call's time allow.
fn send_parts(
    batch: &mut Batch,
    most: Option<NonZeroUsize>,
    context: &Context<'_>,
) -> Result<BatchOutput> {
    let should_be_announced = batch.should_be_announced();
    let mut sent = Vec::new();
    while most.is_none_or(|most| sent.len() < most.get()) {
        let is_over = context
            .call
            .remaining(Duration::MAX, "kfr.batch")
            .map_or(true, |left| left <= batch.wait());
        if is_over && !sent.is_empty() {
            break;
        }
        match batch.send_next(context.call)? {
            Some(part) => sent.push(part.correlation_id.to_string()),
            None => break,
        }
    }
    let progress = batch.progress();
    let wait = if progress.is_done() {
        0
    } else {
        batch.wait().as_millis()
    };
    Ok(BatchOutput {
        done: progress.is_done(),
        parts: progress.parts,
        parts_accepted: progress.parts_accepted,
        relations: progress.relations,
        relations_accepted: progress.relations_accepted,
        correlation_ids: sent,
        next_in_ms: u64::try_from(wait).unwrap_or(u64::MAX),
        should_be_announced,
    })
}

impl BatchOutput {
    fn of_list(sent: &SentPart) -> Self {
        Self {
            done: true,
            parts: 1,
            parts_accepted: 1,
            relations: sent.relations,
            relations_accepted: sent.relations,
            correlation_ids: vec![sent.correlation_id.to_string()],
            next_in_ms: 0,
            should_be_announced: false,
        }
    }
}

struct Listed(Relation);

impl<'de> Deserialize<'de> for Listed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        checked(deserializer).map(Self)
    }
}
