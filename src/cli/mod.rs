//! The command line: one file a command.

mod alerts;
mod arguments;
mod background;
mod backup;
mod child;
mod client;
mod compare;
mod completions;
mod config;
mod demo;
mod doctor;
mod env;
mod eval;
mod exit;
mod export;
mod guard;
mod import;
mod prices;
mod print;
mod restore;
mod run;
mod serve;
mod service;
mod session;
mod session_text;
mod sessions;
mod status;
mod top;
mod usage;

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

use crate::config::{Environment, Flags};
pub(crate) use exit::Failure;

/// Tells you, while you work, what an AI session uses, what it costs and whether it will run out.
#[derive(Debug, Parser)]
#[command(
    name = "moonlock",
    version,
    after_help = exit::HELP
)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    flags: Flags,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the proxy and the dashboard (the default)
    Serve(Flags),
    /// Try it without a key: everything on loopback, with a scripted provider
    Demo(demo::Demo),
    /// Print the variables that point tools at Moonlock, for your shell to evaluate
    Env(env::Env),
    Run(run::Run),
    Status(status::Status),
    Sessions(sessions::Sessions),
    Start(session::Start),
    Pause(session::Pause),
    Resume(session::Resume),
    Checkpoint(session::Checkpoint),
    Complete(session::Complete),
    /// Print every setting, what holds, and who said so
    Config(config::Config),
    Compare(compare::Compare),
    Alerts(alerts::Alerts),
    Guard(guard::Guard),
    Doctor(doctor::Doctor),
    Top(top::Top),
    /// Print what was used
    Usage(usage::Usage),
    Import(import::Import),
    Prices(prices::Prices),
    Service(service::Service),
    Export(export::Export),
    /// Copy the history to a file, with the program running or not
    Backup(backup::Backup),
    Restore(restore::Restore),
    Completions(completions::Completions),
    Man(completions::Man),
    /// Score the forecast and the alarms on recorded sessions
    Eval(eval::Eval),
}

/// Runs the command line of this process.
#[must_use]
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // clap prints help and version to where they belong; a broken pipe is no concern here.
            drop(error.print());
            return ExitCode::from(match error.use_stderr() {
                true if std::env::args_os()
                    .nth(1)
                    .is_some_and(|command| command == "guard") =>
                {
                    exit::GUARD_USAGE
                }
                true => 2,
                false => 0,
            });
        }
    };
    let environment = Environment::of_process();
    init_logging(&environment);
    let result = match cli.command {
        None => serve::run(&environment, &cli.flags),
        Some(Command::Serve(flags)) => serve::run(&environment, &flags),
        Some(Command::Demo(demo)) => demo::run(&environment, &demo),
        Some(Command::Env(arguments)) => env::run(&environment, &arguments),
        Some(Command::Run(arguments)) => run::run(&environment, &arguments),
        Some(Command::Status(arguments)) => status::run(&environment, &arguments),
        Some(Command::Sessions(arguments)) => sessions::run(&environment, &arguments),
        Some(Command::Start(arguments)) => session::start(&environment, &arguments),
        Some(Command::Pause(arguments)) => session::pause(&environment, &arguments),
        Some(Command::Resume(arguments)) => session::resume(&environment, &arguments),
        Some(Command::Checkpoint(arguments)) => session::checkpoint(&environment, &arguments),
        Some(Command::Complete(arguments)) => session::complete(&environment, &arguments),
        Some(Command::Config(arguments)) => config::run(&environment, &arguments),
        Some(Command::Compare(arguments)) => compare::run(&environment, &arguments),
        Some(Command::Alerts(arguments)) => alerts::run(&environment, &arguments),
        Some(Command::Guard(arguments)) => guard::run(&environment, &arguments),
        Some(Command::Doctor(arguments)) => doctor::run(&environment, &arguments),
        Some(Command::Top(arguments)) => top::run(&environment, &arguments),
        Some(Command::Usage(usage)) => usage::run(&environment, &usage),
        Some(Command::Export(arguments)) => export::run(&environment, &arguments),
        Some(Command::Prices(arguments)) => prices::run(&environment, &arguments),
        Some(Command::Service(arguments)) => service::run(&environment, &arguments),
        Some(Command::Completions(arguments)) => completions::completions(Cli::command(), &arguments),
        Some(Command::Man(arguments)) => completions::man(Cli::command(), &arguments),
        Some(Command::Import(arguments)) => import::run(&environment, &arguments),
        Some(Command::Backup(arguments)) => backup::run(&environment, &arguments),
        Some(Command::Restore(arguments)) => restore::run(&environment, &arguments),
        Some(Command::Eval(arguments)) => eval::run(&environment, &arguments),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            failure.message().into_iter().for_each(say_error);
            ExitCode::from(failure.code())
        }
    }
}

#[expect(clippy::print_stderr, reason = "this is the command line's voice")]
fn say_error(message: &str) {
    eprintln!("moonlock: {message}");
}

/// Prints a line for the user. A closed pipe ends nothing.
pub(crate) fn say(line: &str) {
    use std::io::Write;
    drop(writeln!(anstream::stdout(), "{line}"));
}

/// Says a line to the user beside what a command prints.
fn tell(line: &str) {
    use std::io::Write;
    drop(writeln!(anstream::stderr(), "{line}"));
}

/// Logs go to standard error: warnings and above, or what `MOONLOCK_LOG` says (as `RUST_LOG` does).
fn init_logging(environment: &Environment) {
    use std::io::IsTerminal;
    let filter = environment.get("MOONLOCK_LOG").unwrap_or("warn");
    // The signer's crate can be made to log what it signs: bodies.
    let filter = tracing_subscriber::EnvFilter::builder().parse_lossy(format!("{filter},aws_sigv4=off"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
}

/// Makes the runtime that everything runs on.
fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.enable_all().build().map_err(|error| Failure::run(&error))
}

/// Makes the runtime of a command that asks the running Moonlock: one thread is enough.
fn client_runtime() -> Result<tokio::runtime::Runtime, Failure> {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().build().map_err(|error| Failure::run(&error))
}

/// Resolves when the user or the system asks the program to stop. It listens from the call on, not from the first
/// poll: whoever is told where the program listens may stop it at once.
fn asked_to_stop() -> impl Future<Output = ()> {
    #[cfg(unix)]
    let (interrupt, terminate) = {
        use tokio::signal::unix::{SignalKind, signal};
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    };
    async move {
        #[cfg(unix)]
        {
            let (Ok(mut interrupt), Ok(mut terminate)) = (interrupt, terminate) else {
                return std::future::pending().await;
            };
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        }
        #[cfg(not(unix))]
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending().await
        }
    }
}
