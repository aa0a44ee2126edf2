//! `moonlock env`: the variables that point tools at the proxy, for a shell to evaluate.

use clap::{Args, ValueEnum};

use super::{Failure, say};
use crate::config::connect::{Connect, session_path};
use crate::config::{Environment, Flags, Settings};

/// Print the variables that point tools at Moonlock, for your shell to evaluate
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
        eval \"$(moonlock env)\"\n  \
        eval \"$(moonlock env --session refactor)\"\n  \
        moonlock env --shell fish | source\n  \
        moonlock env --shell powershell | Out-String | Invoke-Expression\n  \
        eval \"$(moonlock env --unset)\"")]
pub(super) struct Env {
    /// The shell to write for [default: by $SHELL]
    #[arg(long, value_enum)]
    shell: Option<Shell>,
    /// The session, by id or name, that calls go to
    #[arg(long, value_name = "SESSION")]
    session: Option<String>,
    /// Undo it
    #[arg(long, conflicts_with = "session")]
    unset: bool,
    /// Print JSON
    #[arg(long, conflicts_with_all = ["shell", "unset"])]
    json: bool,
    #[command(flatten)]
    flags: Flags,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Shell {
    Bash,
    Zsh,
    Fish,
    Powershell,
}

impl Shell {
    /// The user's, as the environment names it.
    fn of(environment: &Environment) -> Self {
        let name = environment.get("SHELL").unwrap_or_default();
        match name.rsplit('/').next() {
            Some("fish") => Self::Fish,
            Some("pwsh") => Self::Powershell,
            Some("zsh") => Self::Zsh,
            _ if cfg!(windows) => Self::Powershell,
            _ => Self::Bash,
        }
    }

    fn set(self, name: &str, value: &str) -> String {
        match self {
            // An address holds nothing that these would expand: it is percent-encoded.
            Self::Bash | Self::Zsh => format!("export {name}='{value}'"),
            Self::Fish => format!("set -gx {name} '{value}'"),
            Self::Powershell => format!("$env:{name} = '{value}'"),
        }
    }

    fn unset(self, name: &str) -> String {
        match self {
            Self::Bash | Self::Zsh => format!("unset {name}"),
            Self::Fish => format!("set -e {name}"),
            Self::Powershell => format!("Remove-Item Env:{name} -ErrorAction SilentlyContinue"),
        }
    }
}

pub(super) fn run(environment: &Environment, arguments: &Env) -> Result<(), Failure> {
    let settings = Settings::load(environment, &arguments.flags).map_err(|error| Failure::usage(&error))?;
    let session = arguments.session.as_deref().map(session_path).unwrap_or_default();
    let proxy = std::net::SocketAddr::new(settings.host, settings.proxy_port);
    let scheme = settings.access.scheme().as_str();
    let base = format!("{scheme}://{proxy}{}{session}", settings.access.path());
    let connect = Connect::new(&base).map_err(|error| Failure::run(&error))?;
    if arguments.json {
        say(&serde_json::json!(connect.variables()).to_string());
        return Ok(());
    }
    let shell = arguments.shell.unwrap_or_else(|| Shell::of(environment));
    for (name, value) in connect.variables() {
        say(&if arguments.unset {
            shell.unset(name)
        } else {
            shell.set(name, value)
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_shell_is_spoken_to_in_its_words() {
        for (shell, set, unset) in [
            (Shell::Bash, "export A='http://x'", "unset A"),
            (Shell::Zsh, "export A='http://x'", "unset A"),
            (Shell::Fish, "set -gx A 'http://x'", "set -e A"),
            (
                Shell::Powershell,
                "$env:A = 'http://x'",
                "Remove-Item Env:A -ErrorAction SilentlyContinue",
            ),
        ] {
            assert_eq!(
                (shell.set("A", "http://x").as_str(), shell.unset("A").as_str()),
                (set, unset)
            );
        }
        let named = |shell: &str| Shell::of(&Environment::from_pairs([("SHELL", shell)]));
        assert_eq!(named("/usr/bin/fish"), Shell::Fish);
        assert_eq!(named("/bin/zsh"), Shell::Zsh);
    }
}
