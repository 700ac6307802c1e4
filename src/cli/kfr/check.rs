//! `segl kfr check`

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::{FormArguments, count};
use crate::apis::kfr::{BatchCheck, check_batch};
use crate::call::Call;
use crate::cli::input;
use crate::cli::output::Output;
use crate::error::{Error, ErrorCode, Result};

#[derive(Args)]
pub(in crate::cli) struct Arguments {
    /// The customers.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    form: FormArguments,
}

pub(super) fn run(arguments: &Arguments, output: &Output) -> Result<()> {
    input::refuse_person(&arguments.file.to_string_lossy())?;
    let check = check_batch(&arguments.file, &arguments.form.options()?, &Call::none())?;
    output.value(&json!(check), &text(&check))?;
    if check.wrong_lines == 0 {
        return Ok(());
    }
    let file = arguments.file.display();
    let problem = match check.wrong_lines {
        1 => format!("a line of {file} is wrong; correct it before the file is sent"),
        lines => format!("{lines} lines of {file} are wrong; correct them before the file is sent"),
    };
    Err(Error::new(ErrorCode::BatchLine, problem))
}

fn text(check: &BatchCheck) -> String {
    let lines = check.first_wrong_lines.iter();
    let mut text: String = lines
        .map(|wrong| format!("line {}: {}\n", wrong.line, wrong.problem))
        .collect();
    let more = check.wrong_lines - check.first_wrong_lines.len() as u64;
    if more > 0 {
        text.push_str(&format!("and {}\n", count(more, "more line")));
    }
    text.push_str(&format!(
        "{} in {}, {}; nothing was sent",
        count(check.relations, "relation"),
        count(check.parts as u64, "part"),
        count(check.bytes, "byte"),
    ));
    if check.should_be_announced {
        text.push_str(
            "\nOf more than 100,000 relations in a day Bits wants to be told before: DSOP@bits.no",
        );
    }
    text
}
