//! `moonlock demo`: a first look without a key.

use clap::Args;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::serve::announce;
use super::{Failure, asked_to_stop, runtime, say};
use crate::app::{App, StartError};
use crate::config::{Environment, Flags, Settings};
use crate::demo;
use crate::domain::budget::Allowance;
use crate::domain::session::NewSession;
use crate::domain::units::{Millis, Tokens};

/// Try it without a key: everything on loopback, with a scripted provider
#[derive(Debug, Args)]
#[command(after_help = "Open the dashboard's address in a browser. The history is kept in a temporary file.")]
pub(super) struct Demo {
    /// Make no calls: only the scripted provider, for calls of your own
    #[arg(long)]
    no_calls: bool,
    /// Start no session
    #[arg(long)]
    no_session: bool,
    /// Port of the dashboard and the API [default: 3001, or a free one]
    #[arg(long)]
    port: Option<u16>,
    /// Port of the proxy [default: 3002, or a free one]
    #[arg(long)]
    proxy_port: Option<u16>,
}

pub(super) fn run(environment: &Environment, demo: &Demo) -> Result<(), Failure> {
    let directory = tempfile::Builder::new()
        .prefix("moonlock-demo-")
        .tempdir()
        .map_err(|error| Failure::run(&error))?;
    runtime()?.block_on(async {
        let listener = TcpListener::bind(("127.0.0.1", 0))
            .await
            .map_err(|error| Failure::run(&error))?;
        let provider = listener.local_addr().map_err(|error| Failure::run(&error))?;
        let upstream = format!("http://{provider}");
        let mounts = ["OPENAI", "ANTHROPIC", "GEMINI"]
            .map(|mount| (format!("MOONLOCK_UPSTREAM_{mount}"), upstream.clone()));
        let environment = environment.clone().with(mounts);
        let flags = Flags {
            db: Some(directory.path().join("demo.db")),
            port: demo.port,
            proxy_port: demo.proxy_port,
            ..Flags::default()
        };
        let settings = Settings::load(&environment, &flags).map_err(|error| Failure::usage(&error))?;
        // The user's own file is not the demo's to change.
        let mut settings = settings.fixed();
        settings.backup.daily = false;
        settings.access = settings.access.certified(None);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            if let Err(error) = demo::serve(listener).await {
                tracing::error!(%error, "scripted provider stopped");
            }
        });
        let app = start(settings).await.map_err(|error| Failure::run(&error))?;
        if !demo.no_session {
            let created = app.engine().create_session(NewSession {
                duration: Some(Millis(3_600_000)),
                allowance: Allowance::tokens(Some(Tokens(60_000_000))),
                ..NewSession::named("Demo: mend the parser")
            });
            created.await.map_err(|error| Failure::run(&error))?;
        }
        announce(&app);
        say("provider  scripted; no key is needed and nothing leaves this machine");
        if !demo.no_calls {
            tasks.spawn(demo::drive(app.proxy()));
        }
        asked_to_stop().await;
        tasks.shutdown().await;
        app.stop().await;
        Ok(())
    })
}

/// Starts on the usual ports, or on free ones where those are taken: a Moonlock at work must not stop a demo.
async fn start(settings: Settings) -> Result<App, StartError> {
    let mut free = settings.clone();
    (free.port, free.proxy_port) = (0, 0);
    match App::start(settings).await {
        Err(StartError::Bind { source, .. }) if source.kind() == std::io::ErrorKind::AddrInUse => {
            App::start(free).await
        }
        started => started,
    }
}
