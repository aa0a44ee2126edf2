//! `moonlock service`: has the system start Moonlock with the user.

mod plan;

use std::path::{Path, PathBuf};
use std::process::Command;

use clap::{Args, Subcommand};

use super::exit::Failure;
use super::print::{FAINT, styled};
use super::say;
use crate::config::{Environment, Flags, Settings};
use crate::store::{Directory, prepare_directory};
use plan::{Plan, Run, System, Wanted, plan};

/// Have the system start Moonlock with you: systemd, launchd or Windows' tasks
#[derive(Debug, Args)]
#[command(after_help = "\
The service has the settings of the configuration file, and those that are given here or stand in PORT, PROXY_PORT, HOST,
DB_PATH and MOONLOCK_CONFIG now. Of other variables it knows nothing: say them in the file.

Examples:
  moonlock service install --print
  moonlock service install
  moonlock service status
  moonlock service uninstall")]
pub(super) struct Service {
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, Subcommand)]
enum Act {
    /// Start it now and whenever you log in; said again, with what is given now
    Install(Install),
    /// Stop it, and start it no more; the history stays
    Uninstall {
        /// Only show what would be done
        #[arg(long)]
        print: bool,
    },
    /// Say how it is doing
    Status {
        /// Only show what would be asked
        #[arg(long)]
        print: bool,
    },
}

#[derive(Debug, Args)]
struct Install {
    /// Only show what would be written and run
    #[arg(long)]
    print: bool,
    /// Show it for another system
    #[arg(long, value_enum, value_name = "SYSTEM", requires = "print")]
    system: Option<System>,
    #[command(flatten)]
    flags: Flags,
}

pub(super) fn run(environment: &Environment, service: &Service) -> Result<(), Failure> {
    match &service.act {
        Act::Install(install) => put(environment, install),
        Act::Uninstall { print } => {
            let plan = plan(System::of_machine(), &wanted(environment, &Flags::default())?);
            remove(&plan, *print)
        }
        Act::Status { print } => {
            let plan = plan(System::of_machine(), &wanted(environment, &Flags::default())?);
            status(&plan, *print)
        }
    }
}

fn put(environment: &Environment, install: &Install) -> Result<(), Failure> {
    let wanted = wanted(environment, &install.flags)?;
    let plan = plan(install.system.unwrap_or_else(System::of_machine), &wanted);
    if install.print {
        say(&styled(FAINT, &format!("# {}", plan.file.display())));
        say(plan.text.trim_end());
        plan.install.iter().for_each(show);
        return Ok(());
    }
    // A service that may write nowhere else could not make them.
    for directory in &wanted.writable {
        prepare_directory(&directory.join("moonlock.db"), Directory::Create)
            .map_err(|error| Failure::run(&error))?;
    }
    if plan.file.exists() && System::of_machine() == System::Launchd {
        // launchd takes up a changed agent only when the old one is gone; it may not be there.
        drop(carry_out(&plan.stop));
    }
    write(&plan.file, &plan.text)?;
    for command in &plan.install {
        carry_out(command)?;
    }
    say(&format!("Installed as {}; it runs.", plan.file.display()));
    Ok(())
}

fn remove(plan: &Plan, print: bool) -> Result<(), Failure> {
    let after = plan.removed.iter();
    if print {
        show(&plan.stop);
        say(&format!("remove {}", plan.file.display()));
        after.for_each(show);
        return Ok(());
    }
    if !plan.file.exists() {
        return Err(Failure::run(&format_args!(
            "it is not installed: there is no {}",
            plan.file.display()
        )));
    }
    carry_out(&plan.stop)?;
    std::fs::remove_file(&plan.file)
        .map_err(|error| Failure::run(&format_args!("cannot remove {}: {error}", plan.file.display())))?;
    for command in after {
        carry_out(command)?;
    }
    say("Uninstalled. The history is where it was.");
    Ok(())
}

fn status(plan: &Plan, print: bool) -> Result<(), Failure> {
    if print {
        show(&plan.status);
        return Ok(());
    }
    if !plan.file.exists() {
        return Err(Failure::unavailable(
            &"it is not installed; `moonlock service install` does that",
        ));
    }
    let output = call(&plan.status)?;
    say(output.said.trim_end());
    if output.is_well {
        Ok(())
    } else {
        Err(Failure::silent(Failure::unavailable(&"").code()))
    }
}

/// What is to be started: this program, with what was said of where it listens and what it keeps.
fn wanted(environment: &Environment, flags: &Flags) -> Result<Wanted, Failure> {
    let settings = Settings::load(environment, flags).map_err(|error| Failure::usage(&error))?;
    let program = std::env::current_exe().map_err(|error| Failure::run(&error))?;
    let home = environment
        .home()
        .ok_or_else(|| Failure::run(&"HOME is not set: it is not known where the service belongs"))?;
    let config_home = environment
        .get("XDG_CONFIG_HOME")
        .map_or_else(|| home.join(".config"), PathBuf::from);
    let mut arguments = vec!["serve".to_owned()];
    let mut say = |flag: &str, said: Option<String>, variable: &str| {
        if let Some(value) = said.or_else(|| environment.get(variable).map(str::to_owned)) {
            arguments.extend([flag.to_owned(), value]);
        }
    };
    let path = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let text = |of: &Path| path(of).to_string_lossy().into_owned();
    let file = flags
        .config
        .clone()
        .or_else(|| environment.get("MOONLOCK_CONFIG").map(PathBuf::from));
    say("--config", file.map(|file| text(&file)), "MOONLOCK_CONFIG");
    say("--host", flags.host.clone(), "HOST");
    say("--port", flags.port.map(|port| port.to_string()), "PORT");
    say(
        "--proxy-port",
        flags.proxy_port.map(|port| port.to_string()),
        "PROXY_PORT",
    );
    let chosen = flags.db.is_some() || environment.get("DB_PATH").is_some();
    say("--db", chosen.then(|| text(settings.database.path())), "DB_PATH");
    let database = path(settings.database.path());
    let mut writable: Vec<PathBuf> = database.parent().map(Path::to_owned).into_iter().collect();
    let backups = path(&settings.backup.directory);
    if !writable.iter().any(|directory| backups.starts_with(directory)) {
        writable.push(backups);
    }
    Ok(Wanted {
        program,
        arguments,
        writable,
        config_home,
        user_id: user_id(),
        user: user(environment),
        home,
    })
}

fn user_id() -> u32 {
    #[cfg(unix)]
    {
        rustix::process::getuid().as_raw()
    }
    #[cfg(not(unix))]
    {
        0
    }
}

/// The user's name, with the domain where there is one.
fn user(environment: &Environment) -> String {
    let name = environment.get("USERNAME").or_else(|| environment.get("USER"));
    let domain = environment.get("USERDOMAIN").map(|domain| format!("{domain}\\"));
    format!("{}{}", domain.unwrap_or_default(), name.unwrap_or_default())
}

fn write(file: &Path, text: &str) -> Result<(), Failure> {
    let failed =
        |error: std::io::Error| Failure::run(&format_args!("cannot write {}: {error}", file.display()));
    if let Some(directory) = file.parent() {
        std::fs::create_dir_all(directory).map_err(failed)?;
    }
    std::fs::write(file, text).map_err(failed)
}

/// Prints a command as one would type it.
fn show(command: &Run) {
    let words = command.iter().map(|word| match word.contains([' ', '\\', '$']) {
        true => format!("'{word}'"),
        false => word.clone(),
    });
    say(&words.collect::<Vec<_>>().join(" "));
}

struct Output {
    said: String,
    is_well: bool,
}

fn call(command: &Run) -> Result<Output, Failure> {
    let (program, arguments) = command
        .split_first()
        .ok_or_else(|| Failure::run(&"nothing to run"))?;
    let output = Command::new(program)
        .args(arguments)
        .output()
        .map_err(|error| Failure::run(&format_args!("cannot run `{}`: {error}", command.join(" "))))?;
    let said = [output.stdout, output.stderr].concat();
    Ok(Output {
        said: String::from_utf8_lossy(&said).into_owned(),
        is_well: output.status.success(),
    })
}

fn carry_out(command: &Run) -> Result<(), Failure> {
    let output = call(command)?;
    if output.is_well {
        return Ok(());
    }
    let said = output.said.trim();
    Err(Failure::run(&format_args!(
        "`{}` failed: {said}",
        command.join(" ")
    )))
}
