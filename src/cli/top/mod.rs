//! `moonlock top`: what runs, live, in the terminal.

mod draw;
mod model;
mod socket;

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use clap::Args;
use crossterm::event::{Event, EventStream, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use futures_util::StreamExt;
use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

use super::client::{Client, ClientError};
use super::exit::Failure;
use super::{asked_to_stop, client_runtime};
use crate::config::{Environment, Flags, Settings};
use crate::domain::units::Millis;
use draw::{Look, draw};
use model::{Chosen, Key, Model, ModelUse, Order};

/// Watch it live: clock, rate, running calls, models, alerts
#[derive(Debug, Args)]
#[command(after_help = "\
Keys: p pause, r resume, c checkpoint, e end, s sessions, ? help, q quit.

Examples:
  moonlock top
  NO_COLOR=1 moonlock top")]
pub(super) struct Top {
    #[command(flatten)]
    flags: Flags,
}

/// How often the picture is drawn anew at most, and the clock at least.
const FRAME: Duration = Duration::from_millis(100);
/// How often the models' sums are asked for at most.
const SUMS: Duration = Duration::from_secs(2);

pub(super) fn run(environment: &Environment, top: &Top) -> Result<(), Failure> {
    let settings = Settings::load(environment, &top.flags).map_err(|error| Failure::usage(&error))?;
    if !std::io::stdout().is_terminal() || !std::io::stdin().is_terminal() {
        return Err(Failure::usage(
            &"`top` needs a terminal; `moonlock status` says the same once",
        ));
    }
    let look = match environment.get("NO_COLOR") {
        Some(_) => Look::Plain,
        None => Look::Colour,
    };
    client_runtime()?.block_on(async {
        let client = Client::of(&settings)?;
        // Before the terminal is taken: where nothing runs, that is said like everywhere.
        client.get::<Value>("/api/health").await?;
        // It sets a hook that gives the terminal back should anything panic.
        let mut terminal = ratatui::try_init().map_err(|error| Failure::run(&error))?;
        let watched = watch(&mut terminal, client, settings.ws_path.clone(), look).await;
        ratatui::restore();
        watched
    })
}

/// What comes of a question or an order.
enum Answer {
    Models(Chosen, Vec<ModelUse>),
    Refused(String),
}

#[derive(Deserialize)]
struct UsagePage {
    groups: Vec<ModelUse>,
}

async fn watch(
    terminal: &mut ratatui::DefaultTerminal,
    client: Client,
    path: String,
    look: Look,
) -> Result<(), Failure> {
    let began = Instant::now();
    let now = || Millis(u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX));
    let (tell, mut news) = unbounded_channel();
    let (answer, mut answers) = unbounded_channel();
    let mut tasks = JoinSet::new();
    tasks.spawn(socket::listen(client.clone(), path, tell));
    let mut model = Model::default();
    let mut keys = EventStream::new();
    let stop = asked_to_stop();
    tokio::pin!(stop);
    let mut frames = tokio::time::interval(FRAME);
    frames.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut is_stale, mut second, mut asked) = (true, 0, None::<Instant>);
    loop {
        tokio::select! {
            () = &mut stop => break,
            Some(told) = news.recv() => {
                model.take(told, now());
                is_stale = true;
            }
            Some(answer) = answers.recv() => {
                match answer {
                    Answer::Models(of, models) if of == model.subject() => model.models = models,
                    Answer::Models(..) => model.models_are_old = true,
                    Answer::Refused(why) => model.notice(why, now()),
                }
                is_stale = true;
            }
            event = keys.next() => {
                let Some(event) = event else { break };
                is_stale = true;
                let event = event.map_err(|error| Failure::run(&error))?;
                match key(&event).and_then(|key| model.press(key, now())) {
                    Some(Order::Quit) => break,
                    Some(order) => drop(tasks.spawn(carry_out(client.clone(), order, answer.clone()))),
                    None => {}
                }
            }
            _ = frames.tick() => {
                let at = now();
                model.advance(at);
                // The clock goes on, also where nothing else happens.
                is_stale |= at.0 / 1_000 != second;
                second = at.0 / 1_000;
                if model.models_are_old && asked.is_none_or(|asked| asked.elapsed() >= SUMS) {
                    asked = Some(Instant::now());
                    model.models_are_old = false;
                    tasks.spawn(ask_models(client.clone(), model.subject(), answer.clone()));
                }
                if std::mem::take(&mut is_stale) {
                    let drawn = terminal.draw(|frame| draw(frame, &model, at, look));
                    drawn.map_err(|error| Failure::run(&error))?;
                }
            }
        }
    }
    tasks.shutdown().await;
    Ok(())
}

/// The key of an event, as far as the view knows keys.
fn key(event: &Event) -> Option<Key> {
    let Event::Key(KeyEvent {
        code,
        modifiers,
        kind: KeyEventKind::Press | KeyEventKind::Repeat,
        ..
    }) = event
    else {
        return None;
    };
    match code {
        KeyCode::Char('c') if modifiers.contains(KeyModifiers::CONTROL) => Some(Key::Break),
        KeyCode::Char(character) => Some(Key::Character(*character)),
        KeyCode::Enter => Some(Key::Enter),
        KeyCode::Esc => Some(Key::Escape),
        KeyCode::Backspace => Some(Key::Backspace),
        KeyCode::Up => Some(Key::Up),
        KeyCode::Down => Some(Key::Down),
        _ => None,
    }
}

async fn ask_models(client: Client, of: Chosen, answer: UnboundedSender<Answer>) {
    let session = match of {
        Chosen::Session(id) => id.to_string(),
        Chosen::Unassigned => "unassigned".to_owned(),
    };
    let path = format!("/api/analytics/usage?period=all&groupBy=model&session={session}");
    // Where nobody answers, the view says so by itself.
    if let Ok(UsagePage { groups }) = client.get(&path).await {
        drop(answer.send(Answer::Models(of, groups)));
    }
}

async fn carry_out(client: Client, order: Order, answer: UnboundedSender<Answer>) {
    let done: Result<Value, ClientError> = match order {
        Order::Quit => return,
        Order::Set(id, status) => {
            let body = json!({ "status": status.name() });
            client
                .send(Method::PATCH, &format!("/api/sessions/{id}"), &body)
                .await
        }
        Order::Checkpoint(id, phase) => {
            let body = json!({ "phase": phase });
            let path = format!("/api/sessions/{id}/checkpoints");
            client.send(Method::POST, &path, &body).await
        }
    };
    // What was done comes back as an event.
    if let Err(error) = done {
        drop(answer.send(Answer::Refused(error.to_string())));
    }
}

#[cfg(test)]
mod tests;
