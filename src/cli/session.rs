//! `moonlock start`, `pause`, `resume`, `checkpoint`, `complete`: what is done to a session.

use clap::Args;
use http::Method;
use serde_json::{Map, Value, json};

use super::arguments::{Plan, here};
use super::client::Client;
use super::exit::Failure;
use super::print::{clock, count, plain};
use super::session_text::headline;
use super::{client_runtime, say};
use crate::config::{Environment, Flags, Settings};
use crate::domain::session::Status;
use crate::domain::units::Millis;
use crate::domain::wire::{CheckpointView, SessionView};

/// Start a session; calls that name none go there
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  moonlock start refactor
  moonlock start refactor --budget 500k --duration 2h
  moonlock start refactor --budget '$5' --block --tag work")]
pub(super) struct Start {
    /// Its name
    name: String,
    #[command(flatten)]
    plan: Plan,
    /// A word to find it by; may be repeated
    #[arg(long, value_name = "TAG")]
    tag: Vec<String>,
    /// What to remember of it
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    #[command(flatten)]
    talk: Talk,
}

/// What all of these commands take.
#[derive(Debug, Args)]
pub(super) struct Talk {
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    flags: Flags,
}

/// Which session a command is about.
#[derive(Debug, Args)]
pub(super) struct Which {
    /// The session, by id or name [default: $MOONLOCK_SESSION, or the current one]
    #[arg(long, value_name = "SESSION")]
    session: Option<String>,
    #[command(flatten)]
    talk: Talk,
}

impl Which {
    async fn session(&self, environment: &Environment, client: &Client) -> Result<SessionView, Failure> {
        let named = self.session.as_deref().or_else(|| here(environment));
        client.session(named).await
    }
}

/// Stop a session's clock; `resume` lets it go on
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  moonlock pause\n  moonlock pause --session refactor")]
pub(super) struct Pause {
    #[command(flatten)]
    which: Which,
}

/// Let a session's clock go on; calls that name none go there
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  moonlock resume\n  moonlock resume --session refactor")]
pub(super) struct Resume {
    #[command(flatten)]
    which: Which,
}

/// End a session
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  moonlock complete\n  moonlock complete --session refactor")]
pub(super) struct Complete {
    #[command(flatten)]
    which: Which,
}

/// Note a moment in a session: what it had used until then is kept
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  moonlock checkpoint \"tests pass\"
  moonlock checkpoint design --prompts 12 --metadata '{\"commit\": \"4f2a91c\"}'")]
pub(super) struct Checkpoint {
    /// What begins or ends here
    phase: String,
    /// How many prompts you have counted
    #[arg(long, value_name = "N")]
    prompts: Option<u64>,
    /// A JSON object to keep with it
    #[arg(long, value_name = "JSON", value_parser = object)]
    metadata: Option<Map<String, Value>>,
    #[command(flatten)]
    which: Which,
}

fn object(text: &str) -> Result<Map<String, Value>, String> {
    serde_json::from_str(text).map_err(|error| format!("expected a JSON object: {error}"))
}

impl Talk {
    /// Talks to Moonlock until the answer is there.
    fn with<T>(
        &self,
        environment: &Environment,
        talk: impl AsyncFnOnce(&Client) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let settings = Settings::load(environment, &self.flags).map_err(|error| Failure::usage(&error))?;
        let client = Client::of(&settings)?;
        client_runtime()?.block_on(talk(&client))
    }

    fn tell(&self, session: &SessionView) -> Result<(), Failure> {
        if self.json {
            say(&serde_json::to_string(session).map_err(|error| Failure::run(&error))?);
        } else {
            say(&headline(session));
        }
        Ok(())
    }
}

pub(super) fn start(environment: &Environment, start: &Start) -> Result<(), Failure> {
    let mut body = start.plan.body(&start.name);
    if !start.tag.is_empty() {
        body.insert("tags".to_owned(), json!(start.tag));
    }
    if let Some(note) = &start.note {
        body.insert("note".to_owned(), json!(note));
    }
    let session: SessionView = start.talk.with(environment, async |client| {
        Ok(client.send(Method::POST, "/api/sessions", &body).await?)
    })?;
    start.talk.tell(&session)
}

pub(super) fn pause(environment: &Environment, pause: &Pause) -> Result<(), Failure> {
    become_status(environment, &pause.which, Status::Paused)
}

pub(super) fn resume(environment: &Environment, resume: &Resume) -> Result<(), Failure> {
    become_status(environment, &resume.which, Status::Active)
}

pub(super) fn complete(environment: &Environment, complete: &Complete) -> Result<(), Failure> {
    become_status(environment, &complete.which, Status::Completed)
}

fn become_status(environment: &Environment, which: &Which, status: Status) -> Result<(), Failure> {
    let changed: SessionView = which.talk.with(environment, async |client| {
        let session = which.session(environment, client).await?;
        let path = format!("/api/sessions/{}", session.id);
        let body = json!({ "status": status });
        Ok(client.send(Method::PATCH, &path, &body).await?)
    })?;
    which.talk.tell(&changed)
}

pub(super) fn checkpoint(environment: &Environment, checkpoint: &Checkpoint) -> Result<(), Failure> {
    let which = &checkpoint.which;
    let mut body = Map::new();
    body.insert("phase".to_owned(), json!(checkpoint.phase));
    body.insert("promptCount".to_owned(), json!(checkpoint.prompts));
    body.insert("metadata".to_owned(), json!(checkpoint.metadata));
    let (session, made) = which.talk.with(environment, async |client| {
        let session = which.session(environment, client).await?;
        let path = format!("/api/sessions/{}/checkpoints", session.id);
        let made: CheckpointView = client.send(Method::POST, &path, &body).await?;
        Ok((session, made))
    })?;
    if which.talk.json {
        say(&serde_json::to_string(&made).map_err(|error| Failure::run(&error))?);
        return Ok(());
    }
    say(&format!(
        "{} at {} of {}: {} tokens in all, {} since the checkpoint before",
        plain(&made.phase),
        clock(Millis(made.elapsed_ms)),
        plain(&session.name),
        count(made.usage.total),
        count(made.since.total),
    ));
    Ok(())
}
