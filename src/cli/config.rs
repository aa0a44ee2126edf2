//! `moonlock config`: every setting, what holds, and who said so, with the program running or not.

use anstyle::Style;
use clap::Args;
use serde_json::Value;

use super::print::{Cell, FAINT, Side, Table};
use super::{Failure, say};
use crate::config::{Environment, Flags, Settings};
use crate::domain::wire::{SettingSource, SettingView};

/// Print every setting, what holds, and who said so
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  moonlock config\n  PORT=4000 moonlock config\n  moonlock config --json")]
pub(super) struct Config {
    /// Print JSON: all mounts too, what each setting means and what it is by itself
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    flags: Flags,
}

pub(super) fn run(environment: &Environment, arguments: &Config) -> Result<(), Failure> {
    let settings = Settings::load(environment, &arguments.flags).map_err(|error| Failure::usage(&error))?;
    let shown = settings.show();
    if arguments.json {
        let json = serde_json::to_string(&shown).map_err(|error| Failure::run(&error))?;
        say(&json);
        return Ok(());
    }
    let is_told = |setting: &&SettingView| {
        let is_mount = setting.name.starts_with("mounts.");
        setting.source != SettingSource::Default || !(is_mount || setting.value.is_null())
    };
    let mut table = Table::new([
        ("setting", Side::Left),
        ("value", Side::Left),
        ("said by", Side::Left),
    ]);
    for setting in shown.settings.iter().filter(is_told) {
        let style = match setting.source {
            SettingSource::Default => FAINT,
            _ => Style::new(),
        };
        let cells = [
            setting.name.clone(),
            written(&setting.value),
            setting.source.to_string(),
        ];
        table.row(cells.map(|text| Cell::styled(style, text)));
    }
    table.print();
    let file = shown.file.as_deref().unwrap_or("none");
    say(&format!(
        "\nConfiguration file: {file}. Mounts are left out where they are as they come; --json has them."
    ));
    Ok(())
}

/// A value as a person writes it.
fn written(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        value => value.to_string(),
    }
}
