//! `moonlock doctor`: looks at everything that has to be right, and says what is not and how to mend it.

mod address;
mod machine;
mod service;
mod tools;
mod upstreams;
mod variables;

use clap::Args;
use serde::Serialize;
use serde_json::json;

use super::exit::Failure;
use super::print::{BAD, FAINT, GOOD, WARNING, styled};
use super::{client_runtime, say};
use crate::config::{Environment, Flags, Settings};

/// Look for what is wrong, and say how to mend it
#[derive(Debug, Args)]
#[command(after_help = "\
It looks at the ports and who listens there, the database and its permissions, the clocks, the disk, the way to the
providers that you use (over TLS, without sending a request) and the variables of your tools in this shell and the files
of Claude Code and Codex.
Exit code 1 if there is a problem; warnings alone are 0.

Examples:
  moonlock doctor
  moonlock doctor --offline
  moonlock doctor --json | jq '.findings[] | select(.level != \"ok\")'")]
pub(super) struct Doctor {
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Do not connect to providers
    #[arg(long)]
    offline: bool,
    #[command(flatten)]
    flags: Flags,
}

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
enum Level {
    /// It is as it should be.
    Ok,
    /// It works, but not as well as it could.
    Warning,
    /// It does not work.
    Problem,
}

/// What was found.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Finding {
    /// What was looked at.
    about: &'static str,
    level: Level,
    /// What is so, as one sentence.
    text: String,
    /// What to do about it.
    remedy: Option<String>,
}

impl Finding {
    fn ok(about: &'static str, text: impl Into<String>) -> Self {
        Self {
            about,
            level: Level::Ok,
            text: text.into(),
            remedy: None,
        }
    }

    fn warning(about: &'static str, text: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            level: Level::Warning,
            remedy: Some(remedy.into()),
            ..Self::ok(about, text)
        }
    }

    fn problem(about: &'static str, text: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            level: Level::Problem,
            ..Self::warning(about, text, remedy)
        }
    }

    fn print(&self) {
        let (style, mark) = match self.level {
            Level::Ok => (GOOD, "✓"),
            Level::Warning => (WARNING, "!"),
            Level::Problem => (BAD, "✗"),
        };
        let text = super::print::plain(&self.text);
        say(&format!(
            "{} {} {text}",
            styled(style, mark),
            styled(FAINT, &format!("{:<10}", self.about))
        ));
        if let Some(remedy) = &self.remedy {
            say(&format!("             → {}", super::print::plain(remedy)));
        }
    }
}

pub(super) fn run(environment: &Environment, doctor: &Doctor) -> Result<(), Failure> {
    let findings = match Settings::load(environment, &doctor.flags) {
        Ok(settings) => look(environment, doctor, &settings)?,
        Err(error) => vec![Finding::problem(
            "settings",
            error.to_string(),
            "Correct it: nothing else can be looked at before.",
        )],
    };
    let is_well = findings.iter().all(|finding| finding.level != Level::Problem);
    if doctor.json {
        say(
            &json!({ "ok": is_well, "version": env!("CARGO_PKG_VERSION"), "findings": findings }).to_string(),
        );
    } else {
        findings.iter().for_each(Finding::print);
    }
    if is_well { Ok(()) } else { Err(Failure::silent(1)) }
}

fn look(environment: &Environment, doctor: &Doctor, settings: &Settings) -> Result<Vec<Finding>, Failure> {
    let (mut findings, providers) = machine::database(settings);
    client_runtime()?.block_on(async {
        let (service, proxy) = service::look(settings).await;
        findings.splice(0..0, service);
        findings.extend(machine::clock(settings));
        findings.extend(machine::disk(settings));
        if !doctor.offline {
            findings.extend(upstreams::look(settings, &providers).await);
        }
        findings.extend(variables::look(environment, settings, proxy).await);
        findings.extend(tools::look(environment, settings, proxy).await);
    });
    Ok(findings)
}
