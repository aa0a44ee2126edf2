//! `moonlock` and `moonlock serve`: the proxy and the dashboard, until told to stop.

use super::{Failure, asked_to_stop, runtime, say};
use crate::app::App;
use crate::config::{Environment, Flags, Settings};

pub(super) fn run(environment: &Environment, flags: &Flags) -> Result<(), Failure> {
    let settings = Settings::load(environment, flags).map_err(|error| Failure::usage(&error))?;
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

/// Says where everything is.
pub(super) fn announce(app: &App) {
    say(&format!("dashboard http://{}", app.dashboard()));
    say(&format!("proxy     http://{}", app.proxy()));
}
