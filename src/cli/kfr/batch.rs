//! `segl kfr batch`

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::{Common, FormArguments, count};
use crate::apis::kfr::{Progress, SentPart};
use crate::call::Call;
use crate::cli::input;
use crate::cli::output::Output;
use crate::error::Result;

#[derive(Args)]
pub(in crate::cli) struct Arguments {
    #[command(flatten)]
    common: Common,
    /// The financial institution's organisation number.
    #[arg(long, value_name = "ORGNO")]
    institution: String,
    /// The customers.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Goes on where an interrupted batch stopped; begins if there is no journal.
    #[arg(long)]
    resume: bool,
    /// Where it is written down how far the batch has come [default: FILE.kfr-state]
    #[arg(long, value_name = "JOURNAL")]
    journal: Option<PathBuf>,
    /// How many relations go in a second, on average; 0 is as fast as it goes.
    #[arg(long, value_name = "NUMBER", default_value_t = 250)]
    rate: u32,
    #[command(flatten)]
    form: FormArguments,
}

pub(super) fn run(arguments: &Arguments, output: &Output) -> Result<()> {
    input::refuse_person(&arguments.file.to_string_lossy())?;
    let institution = arguments.institution.parse()?;
    let mut options = arguments.form.options()?;
    options.relations_per_second = Some(arguments.rate);
    options.journal.clone_from(&arguments.journal);
    options.resume = arguments.resume;
    let (kfr, _) = arguments.common.open()?;
    // --timeout is for each request: how long the whole takes is up to the file.
    let mut batch = kfr.batch(&institution, &arguments.file, &options, &Call::none())?;
    let before = batch.progress();
    if batch.should_be_announced() {
        output.note(&format!(
            "{} relations are to be sent. Of more than 100,000 in a day Bits wants to be told before: DSOP@bits.no",
            before.relations - before.relations_accepted
        ));
    }
    if before.parts_accepted > 0 {
        output.note(&progress("going on", &before));
    }
    let mut sent = Vec::new();
    let after = batch.run(
        || arguments.common.client.call(),
        |part: &SentPart, now: &Progress| {
            output.note(&progress(
                &format!("accepted, correlation id {}", part.correlation_id),
                now,
            ));
            sent.push(part.correlation_id.to_string());
        },
    )?;
    let value = json!({
        "done": after.is_done(),
        "parts": after.parts,
        "parts_accepted": after.parts_accepted,
        "relations": after.relations,
        "relations_accepted": after.relations_accepted,
        "correlation_ids": sent,
        "journal": batch.journal(),
    });
    let text = format!(
        "KFR accepted {} relations in {} ({} now); it loads them later",
        after.relations_accepted,
        count(after.parts_accepted as u64, "part"),
        after.parts_accepted - before.parts_accepted
    );
    output.value(&value, &text)
}

fn progress(what: &str, progress: &Progress) -> String {
    format!(
        "part {} of {}: {what}; {} of {} relations",
        progress.parts_accepted, progress.parts, progress.relations_accepted, progress.relations
    )
}
