//! `moonlock run`: a command with a session of its own.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use clap::Args;
use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::arguments::{HERE, Plan};
use super::background::{Running, find_or_start};
use super::client::{Client, ClientError};
use super::exit::Failure;
use super::print::{FAINT, STRONG, WARNING, count, plain, span, styled};
use super::session_text::{budget_texts, cost, cost_line, tokens};
use super::{child, client_runtime, tell};
use crate::config::connect::{Account, Connect, session_path};
use crate::config::mount::shown;
use crate::config::{Environment, Flags, Settings};
use crate::domain::alert::Thresholds;
use crate::domain::ids::SessionId;
use crate::domain::session::Status;
use crate::domain::units::Millis;
use crate::domain::wire::{SessionView, Totals};

/// Run a command with a session of its own, and say at its end what it used
///
/// Starts Moonlock in the background if it is not running, and points every tool that reads its provider's address from
/// a variable (and Codex, by `-c`) at the session's own address. Terminal, signals and exit code are the command's own.
#[derive(Debug, Args)]
#[command(after_help = "\
The session is completed at the end. With the name of one that has not ended, the command joins that one, which stays as
it is. Commands that run side by side never mix: each has its session in its address. In it, `moonlock status`,
`checkpoint` and the like are about its session ($MOONLOCK_SESSION).

An address that you have set yourself (say OPENAI_BASE_URL=https://openrouter.ai/api/v1) goes on leading to the same
provider; one that no mount leads to stays as it is, and Moonlock says so.

Examples:
  moonlock run -- claude
  moonlock run --session refactor --budget '$5' --duration 2h -- claude
  moonlock run --budget 200k --block -- codex exec \"mend the tests\"
  moonlock run -- python agent.py")]
pub(super) struct Run {
    /// The session's name [default: the command's]
    #[arg(long, value_name = "NAME")]
    session: Option<String>,
    #[command(flatten)]
    plan: Plan,
    /// Say nothing at the end
    #[arg(long, short)]
    quiet: bool,
    #[command(flatten)]
    flags: Flags,
    /// The command and its arguments, behind `--`
    #[arg(required = true, last = true, value_name = "CMD")]
    command: Vec<OsString>,
}

/// A session that a command runs in.
struct Stay {
    session: SessionView,
    /// What was used in it before; nothing in a session of the command's own.
    before: Option<Usage>,
}

pub(super) fn run(environment: &Environment, run: &Run) -> Result<(), Failure> {
    let settings = Settings::load(environment, &run.flags).map_err(|error| Failure::usage(&error))?;
    let (program, arguments) = run
        .command
        .split_first()
        .ok_or_else(|| Failure::usage(&"no command is given"))?;
    if !is_there(Path::new(program), environment) {
        return Err(Failure::no_command(&program.display()));
    }
    let runtime = client_runtime()?;
    let Running { client, proxy } = runtime.block_on(find_or_start(&settings, &run.flags))?;
    let stay = runtime.block_on(arrive(&client, run, program))?;
    let id = stay.session.id;

    let base = format!(
        "{proxy}{}{}",
        settings.access.path(),
        session_path(&id.to_string())
    );
    let connect = Connect::new(&base).map_err(|error| Failure::run(&error))?;
    let pointed = connect.point(&proxy, &base, environment, &settings.mounts);
    for (name, said) in &pointed.unknown {
        tell(&format!(
            "moonlock: {} stays {}: no mount leads there, so calls there are not seen",
            name,
            plain(&shown(said))
        ));
    }
    let name = name_of(program);
    let mut command = Command::new(program);
    command
        .args(connect.arguments(&name, account(&name, environment)))
        .args(arguments)
        .envs(&pointed.set)
        .envs(around_proxies(environment))
        .env(HERE, id.to_string());
    let began = Instant::now();
    let ran = child::run(&mut command);
    let took = began.elapsed();

    // What follows is told, but changes nothing for who waits for the command.
    if let Err(failure) = runtime.block_on(leave(&client, stay, took, run)) {
        failure.message().into_iter().for_each(|why| {
            tell(&format!("moonlock: what was used cannot be said: {why}"));
        });
    }
    match ran {
        Ok(status) => match child::code(status) {
            0 => Ok(()),
            code => Err(Failure::silent(code)),
        },
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Err(Failure::no_command(&program.display()))
        }
        Err(error) => Err(Failure::command_cannot_run(&program.display(), &error)),
    }
}

/// Creates the session, or finds the one to join.
async fn arrive(client: &Client, run: &Run, program: &OsString) -> Result<Stay, Failure> {
    if let Some(named) = &run.session {
        let found = client.find_session(named).await?;
        let is_id = named.parse::<SessionId>().is_ok();
        match found {
            Some(session) if session.status != Status::Completed => return join(client, run, session).await,
            Some(session) if is_id => {
                let name = plain(&session.name);
                return Err(Failure::run(&format_args!(
                    "the session {name} is completed: it cannot be joined"
                )));
            }
            None if is_id => return Err(Failure::run(&format_args!("there is no session `{named}`"))),
            _ => {}
        }
    }
    let name = run.session.clone().unwrap_or_else(|| name_of(program));
    let mut body = run.plan.body(&name);
    // Calls that name no session go where they went.
    body.insert("current".to_owned(), json!(false));
    let session = client.send(Method::POST, "/api/sessions", &body).await?;
    Ok(Stay {
        session,
        before: None,
    })
}

async fn join(client: &Client, run: &Run, session: SessionView) -> Result<Stay, Failure> {
    let name = plain(&session.name);
    if !run.plan.is_empty() {
        return Err(Failure::usage(&format_args!(
            "the session {name} is there already, and a command that joins it changes nothing of it: leave --budget and \
             --duration out, or take another --session"
        )));
    }
    if session.status == Status::Paused {
        let text = format!(
            "moonlock: {name} is paused: its clock stands, and what is used counts as used in a pause"
        );
        tell(&styled(WARNING, &text));
    }
    let before = Some(usage(client, session.id).await?);
    Ok(Stay { session, before })
}

/// Completes a session of the command's own, and says what the command used.
async fn leave(client: &Client, stay: Stay, took: Duration, run: &Run) -> Result<(), Failure> {
    let path = format!("/api/sessions/{}", stay.session.id);
    let session: SessionView = if stay.before.is_none() {
        let body = json!({ "status": Status::Completed });
        match client.send(Method::PATCH, &path, &body).await {
            // Its time was used up, or someone else completed it.
            Err(ClientError::Refused(problem)) if problem.is("completed") => client.get(&path).await?,
            changed => changed?,
        }
    } else {
        client.get(&path).await?
    };
    if run.quiet {
        return Ok(());
    }
    let used = usage(client, session.id)
        .await?
        .since(&stay.before.unwrap_or_default());
    let alert_at = client.live().await?.alert_at_percent;
    let lines = report(&session, &used, took, &alert_at);
    lines.iter().for_each(|line| tell(line));
    Ok(())
}

fn report(session: &SessionView, used: &Usage, took: Duration, alert_at: &Thresholds) -> Vec<String> {
    let line = |name: &str, text: &str| format!("  {} {text}", styled(FAINT, &format!("{name:<8}")));
    let sums = used.sums();
    let took = span(Millis(u64::try_from(took.as_millis()).unwrap_or(u64::MAX)));
    let mut lines = vec![format!(
        "moonlock: {} ran {took}",
        styled(STRONG, &plain(&session.name))
    )];
    if sums.requests == 0 {
        lines.push(line("tokens", "no call was made through Moonlock"));
        return lines;
    }
    lines.push(line("tokens", &tokens(&sums)));
    lines.push(line("cost", &cost_line(&sums)));
    let budgets = budget_texts(session, alert_at);
    lines.extend(budgets.iter().map(|budget| line("budget", budget)));
    for (at, ((_, model), totals)) in used.largest_first().enumerate() {
        let model = model.as_deref().map_or("no model".into(), plain);
        let text = format!("{model}: {} tokens, {}", count(totals.total), cost(totals));
        lines.push(line(if at == 0 { "models" } else { "" }, &text));
    }
    lines
}

/// What was used, by provider and model.
#[derive(Debug, Default)]
struct Usage(BTreeMap<(Option<String>, Option<String>), Totals>);

#[derive(Deserialize)]
struct Group {
    provider: Option<String>,
    model: Option<String>,
    #[serde(flatten)]
    totals: Totals,
}

#[derive(Deserialize)]
struct Groups {
    groups: Vec<Group>,
}

async fn usage(client: &Client, session: SessionId) -> Result<Usage, ClientError> {
    let path = format!("/api/analytics/usage?period=all&groupBy=provider,model&session={session}");
    let Groups { groups } = client.get(&path).await?;
    let groups = groups
        .into_iter()
        .map(|group| ((group.provider, group.model), group.totals));
    Ok(Usage(groups.collect()))
}

impl Usage {
    /// What was used since an earlier moment.
    fn since(mut self, before: &Self) -> Self {
        for (key, totals) in &mut self.0 {
            if let Some(before) = before.0.get(key) {
                *totals = totals.since(before);
            }
        }
        self.0.retain(|_, totals| totals.requests > 0 || totals.total > 0);
        self
    }

    fn sums(&self) -> Totals {
        let mut sums = Totals::default();
        self.0.values().for_each(|totals| sums.merge(totals));
        sums
    }

    fn largest_first(&self) -> impl Iterator<Item = (&(Option<String>, Option<String>), &Totals)> {
        let mut groups: Vec<_> = self.0.iter().collect();
        groups.sort_by_key(|(_, totals)| std::cmp::Reverse(totals.total));
        groups.into_iter()
    }
}

/// A command's name, without the folder it is in.
fn name_of(program: &OsString) -> String {
    let stem = Path::new(program).file_stem().unwrap_or(program);
    stem.to_string_lossy().into_owned()
}

/// Whether a program is where the system will look for it. Where its files have more names than one, it is left to the
/// system to say.
fn is_there(program: &Path, environment: &Environment) -> bool {
    if !cfg!(unix) {
        return true;
    }
    if program.components().count() > 1 {
        return program.exists();
    }
    let Some(path) = environment.get("PATH") else {
        return true;
    };
    std::env::split_paths(path).any(|folder| folder.join(program).exists())
}

/// Who pays for a program's calls. Codex keeps it where it keeps its keys; only the kind is looked at.
fn account(program: &str, environment: &Environment) -> Account {
    if program != "codex" {
        return Account::Key;
    }
    let home = environment.get("CODEX_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(Path::new(environment.get("HOME")?).join(".codex")));
    let signed_in = home.and_then(|home| std::fs::read(home.join("auth.json")).ok());
    let Some(signed_in) = signed_in.and_then(|text| serde_json::from_slice::<Value>(&text).ok()) else {
        return Account::Key;
    };
    let has = |name: &str| signed_in.get(name).is_some_and(|value| !value.is_null());
    let is_plan = match signed_in.get("auth_mode").and_then(Value::as_str) {
        Some(mode) => mode.eq_ignore_ascii_case("chatgpt"),
        None => has("tokens") && !has("OPENAI_API_KEY"),
    };
    if is_plan { Account::Plan } else { Account::Key }
}

/// Where calls go through a proxy of the user's, those to this machine must not.
fn around_proxies(environment: &Environment) -> Vec<(&'static str, String)> {
    let is_set = |name: &&str| environment.get(name).is_some();
    if !["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"]
        .iter()
        .any(is_set)
    {
        return Vec::new();
    }
    let said = environment
        .get("NO_PROXY")
        .or_else(|| environment.get("no_proxy"));
    let mut names: Vec<&str> = said.unwrap_or_default().split(',').map(str::trim).collect();
    names.retain(|name| !name.is_empty());
    if names.contains(&"*") {
        return Vec::new();
    }
    for here in ["127.0.0.1", "localhost", "::1"] {
        if !names.contains(&here) {
            names.push(here);
        }
    }
    let names = names.join(",");
    vec![("NO_PROXY", names.clone()), ("no_proxy", names)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_to_this_machine_go_around_proxies() {
        let around = |pairs: &[(&str, &str)]| {
            let variables = around_proxies(&Environment::from_pairs(pairs.iter().copied()));
            variables.first().map(|(_, names)| names.clone())
        };
        assert_eq!(around(&[]), None);
        assert_eq!(
            around(&[("HTTPS_PROXY", "http://p")]),
            None,
            "the addresses are http"
        );
        let proxy = ("http_proxy", "http://p");
        assert_eq!(around(&[proxy]).as_deref(), Some("127.0.0.1,localhost,::1"));
        assert_eq!(
            around(&[proxy, ("NO_PROXY", "corp.example, localhost")]).as_deref(),
            Some("corp.example,localhost,127.0.0.1,::1")
        );
        assert_eq!(around(&[proxy, ("no_proxy", "*")]), None);
    }

    #[test]
    fn codex_tells_who_pays() {
        let home = tempfile::tempdir().unwrap();
        let codex = Environment::from_pairs([("CODEX_HOME", home.path().to_str().unwrap())]);
        assert_eq!(account("codex", &codex), Account::Key, "nobody signed in");
        for (text, expected) in [
            (r#"{"OPENAI_API_KEY": "k"}"#, Account::Key),
            (r#"{"OPENAI_API_KEY": null, "tokens": {}}"#, Account::Plan),
            (r#"{"auth_mode": "chatgpt", "tokens": {}}"#, Account::Plan),
            (r#"{"auth_mode": "apikey", "tokens": null}"#, Account::Key),
            ("no JSON", Account::Key),
        ] {
            std::fs::write(home.path().join("auth.json"), text).unwrap();
            assert_eq!(account("codex", &codex), expected, "{text}");
            assert_eq!(account("claude", &codex), Account::Key);
        }
    }
}
