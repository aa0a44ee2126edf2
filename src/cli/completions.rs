//! `moonlock completions` and `moonlock man`: the command line, for shells and for `man`.

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, Command};
use clap_complete::Shell;

use super::exit::Failure;
use super::say;

/// Print what your shell needs to complete commands and options
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  moonlock completions bash > ~/.local/share/bash-completion/completions/moonlock
  moonlock completions zsh > ~/.zfunc/_moonlock
  moonlock completions fish > ~/.config/fish/completions/moonlock.fish
  moonlock completions powershell >> $PROFILE")]
pub(super) struct Completions {
    /// The shell
    shell: Shell,
}

/// Print the manual page, or write one for each command
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  moonlock man | man -l -
  moonlock man --dir ~/.local/share/man/man1")]
pub(super) struct Man {
    /// Write a page for each command into this directory
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

pub(super) fn completions(mut command: Command, completions: &Completions) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(completions.shell, &mut command, "moonlock", &mut script);
    print(&script)
}

pub(super) fn man(command: Command, man: &Man) -> Result<(), Failure> {
    if let Some(directory) = &man.dir {
        let failed = |error| Failure::run(&format_args!("cannot write to {}: {error}", directory.display()));
        std::fs::create_dir_all(directory).map_err(failed)?;
        clap_mangen::generate_to(command, directory).map_err(failed)?;
        say(&format!("{}", directory.display()));
        return Ok(());
    }
    let mut page = Vec::new();
    clap_mangen::Man::new(command)
        .render(&mut page)
        .map_err(|error| Failure::run(&error))?;
    print(&page)
}

/// Prints bytes as they are. A closed pipe ends nothing.
fn print(bytes: &[u8]) -> Result<(), Failure> {
    match std::io::stdout().write_all(bytes) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(Failure::run(&error)),
        _ => Ok(()),
    }
}
