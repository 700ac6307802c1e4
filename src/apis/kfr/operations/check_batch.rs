//! `kfr.check_batch`.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::apis::kfr::{BatchCheck, BatchOptions, FormStyle, MaxRelations, check_batch};
use crate::apis::operations::{Context, Describe};
use crate::error::Result;

pub(in crate::apis) struct CheckBatch;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::apis) struct CheckBatchInput {
    /// A file with a customer a line, or several between commas.
    file: PathBuf,
    /// The most relations of a request, 1 to 400000. Default 10000.
    #[serde(default)]
    #[schemars(with = "Option<u32>")]
    max_relations: Option<MaxRelations>,
    /// How the form is written.
    #[serde(default)]
    form: FormStyle,
}

impl Describe for CheckBatch {
    const NAME: &'static str = "kfr.check_batch";
    const SUMMARY: &'static str = "Checks a file as kfr.batch does, and sends nothing.";
    type Input = CheckBatchInput;
    type Output = BatchCheck;

    fn run(input: CheckBatchInput, context: &Context<'_>) -> Result<BatchCheck> {
        let options = BatchOptions {
            max_relations: input.max_relations,
            form: input.form,
            ..BatchOptions::default()
        };
        check_batch(&input.file, &options, context.call)
    }
}
