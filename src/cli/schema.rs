//! `soakrig schema`

use super::args::{SchemaArgs, SchemaKind};
use super::exit::Exit;
use super::message::{CliError, Outcome, print};
use super::settings;

pub(super) fn run(args: &SchemaArgs) -> Outcome {
    let text = match args.kind {
        SchemaKind::Rig => serde_json::to_string_pretty(&crate::plan::rig::json_schema()),
        SchemaKind::Profile => serde_json::to_string_pretty(&crate::plan::profile::json_schema()),
        SchemaKind::Family => crate::instrument::dialect::schema::json_schema(),
        SchemaKind::Comparison => {
            serde_json::to_string_pretty(&crate::report::compare::schema::json_schema())
        }
        SchemaKind::Settings => serde_json::to_string_pretty(&settings::json_schema()),
    };
    let text = text.map_err(|error| CliError::internal(format!("cannot write the schema: {error}")))?;
    print(&text)?;
    Ok(Exit::Done)
}
