//! `moonlock` and `moonlock serve`: the proxy and the dashboard, until told to stop.

use super::{Failure, asked_to_stop, runtime, say};
use crate::app::App;
use crate::config::{Environment, Flags, Settings};

pub(super) fn run(environment: &Environment, flags: &Flags) -> Result<(), Failure> {
    let settings = Settings::load(environment, flags).map_err(|error| Failure::usage(&error))?;
    leave_no_dump();
    runtime()?.block_on(async {
        let mounts: Vec<String> = settings
            .mounts
            .iter()
            .map(|mount| mount.name.to_string())
            .collect();
        let stop = asked_to_stop();
        let app = App::start(settings).await.map_err(|error| Failure::run(&error))?;
        announce(&app);
        say(&format!("mounts    {}", mounts.join(", ")));
        stop.await;
        app.stop().await;
        Ok(())
    })
}

/// Sees to it that a crash writes no picture of the memory: keys and prompts under way are in it.
#[cfg(unix)]
fn leave_no_dump() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = Rlimit {
        current: Some(0),
        ..getrlimit(Resource::Core)
    };
    if let Err(error) = setrlimit(Resource::Core, limit) {
        tracing::debug!(%error, "a crash may leave a dump");
    }
}

/// Windows writes none that was not asked for.
#[cfg(not(unix))]
fn leave_no_dump() {}

/// Says where everything is.
pub(super) fn announce(app: &App) {
    let scheme = app.scheme().as_str();
    say(&format!("dashboard {scheme}://{}", app.dashboard()));
    say(&format!("proxy     {scheme}://{}", app.proxy()));
}
