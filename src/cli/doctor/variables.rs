//! Where the variables of this shell send the tools that read them.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use tokio::net::TcpStream;

use super::Finding;
use crate::config::connect::Connect;
use crate::config::{Environment, Settings};

const ABOUT: &str = "variables";

/// How long a connection on this machine may take.
const PATIENCE: Duration = Duration::from_millis(500);

/// What follows a variable's name and value.
type Said<'a> = (&'a str, &'a str);

/// Looks at every variable that points a tool somewhere. `proxy` is where the proxy is.
pub(super) async fn look(environment: &Environment, settings: &Settings, proxy: SocketAddr) -> Vec<Finding> {
    let root = format!("http://{proxy}");
    let Ok(connect) = Connect::new(&root) else {
        return Vec::new();
    };
    let mut findings = Vec::new();
    for name in connect.names() {
        if let Some(said) = environment.get(name) {
            let usual = connect.variables().get(name).map(String::as_str);
            findings.push(variable(settings, proxy, usual, (name, said)).await);
        }
    }
    findings.extend(claude_settings(environment, &root));
    if findings.is_empty() {
        findings.push(Finding::ok(
            ABOUT,
            "None is set in this shell: `moonlock run -- CMD` sets them for one command, `eval \"$(moonlock env)\"` here.",
        ));
    }
    findings.extend(swallows_loopback(environment));
    findings
}

async fn variable(
    settings: &Settings,
    proxy: SocketAddr,
    usual: Option<&str>,
    (name, said): Said<'_>,
) -> Finding {
    let usual = usual.map(str::to_owned);
    let instead = |what: String| {
        let remedy = match &usual {
            Some(usual) => format!("export {name}='{usual}'"),
            None => format!("unset {name}, or point it at a mount of http://{proxy}"),
        };
        Finding::problem(ABOUT, what, remedy)
    };
    let (scheme, rest) = said.split_once("://").unwrap_or(("http", said));
    let at = rest.find('/').unwrap_or(rest.len());
    let (authority, path) = rest.split_at(at);
    let (host, port) = authority.rsplit_once(':').unwrap_or((authority, ""));
    let is_here = matches!(host, "localhost" | "[::1]") || host.starts_with("127.");
    if !is_here {
        return elsewhere(settings, &usual, (name, said));
    }
    if port == settings.port.to_string() && settings.port != proxy.port() {
        return instead(format!(
            "{name}={said} leads to the dashboard's port, where no calls are taken."
        ));
    }
    if port != proxy.port().to_string() {
        return other_port(settings, authority, &usual, (name, said)).await;
    }
    if scheme != "http" {
        return instead(format!(
            "{name}={said} asks for TLS, which Moonlock does not speak on loopback."
        ));
    }
    if host == "localhost" && resolves_to_v6(authority).await && proxy.is_ipv4() {
        return instead(format!(
            "{name}={said}: `localhost` is ::1 here for some tools, where nothing listens."
        ));
    }
    if host == "[::1]" && proxy.is_ipv4() {
        return instead(format!(
            "{name}={said}: Moonlock listens on {}, not on ::1.",
            proxy.ip()
        ));
    }
    path_of(settings, path, &usual, (name, said))
}

/// A variable that leads to another machine.
fn elsewhere(settings: &Settings, usual: &Option<String>, (name, said): Said<'_>) -> Finding {
    let remedy = match (settings.mounts.path_for(said), usual) {
        (Some(path), _) => format!("`moonlock run` sends it over the mount {path}; or set it to Moonlock's address yourself."),
        (None, Some(_)) => "Leave it if that is meant; else unset it. A mount of your own makes it seen (see Configuration in the README).".to_owned(),
        (None, None) => "Leave it if that is meant.".to_owned(),
    };
    let text = format!("{name}={said} leads past Moonlock, so those calls are not seen.");
    Finding::warning(ABOUT, text, remedy)
}

/// A variable that leads to another port of this machine.
async fn other_port(
    settings: &Settings,
    authority: &str,
    usual: &Option<String>,
    (name, said): Said<'_>,
) -> Finding {
    let connecting = tokio::time::timeout(PATIENCE, TcpStream::connect(authority));
    if matches!(connecting.await, Ok(Ok(_))) {
        return elsewhere(settings, usual, (name, said));
    }
    let text = format!("{name}={said} leads to a port where nothing listens.");
    let remedy = match usual {
        Some(usual) => format!("export {name}='{usual}'"),
        None => format!("unset {name}"),
    };
    Finding::problem(ABOUT, text, remedy)
}

/// A variable that leads to the proxy: whether its path is one that the tool can do with.
fn path_of(settings: &Settings, path: &str, usual: &Option<String>, (name, said): Said<'_>) -> Finding {
    let mut parts = path.trim_matches('/').split('/');
    let mut mount = parts.next().unwrap_or_default();
    if mount == "s" {
        parts.next();
        mount = parts.next().unwrap_or_default();
    }
    let remedy = match usual {
        Some(usual) => format!("export {name}='{usual}'"),
        None => "Put one of the mounts behind the address; the README lists them.".to_owned(),
    };
    if settings.mounts.get(mount).is_none() {
        let text = format!("{name}={said} names no mount: every call is answered with 404.");
        return Finding::problem(ABOUT, text, remedy);
    }
    let rest: Vec<&str> = parts.filter(|part| !part.is_empty()).collect();
    let expected = usual.as_deref().and_then(|usual| {
        let (_, behind) = usual.split_once("://")?;
        let mut parts = behind.split('/').skip(1);
        (parts.next() == Some(mount)).then(|| parts.collect::<Vec<_>>())
    });
    if let Some(expected) = expected.filter(|expected| *expected != rest) {
        let what = if rest.len() < expected.len() {
            "misses"
        } else {
            "has too much behind"
        };
        let expected = if expected.is_empty() {
            format!("/{mount}")
        } else {
            format!("/{}", expected.join("/"))
        };
        let text = format!(
            "{name}={said} {what} `{expected}`: Moonlock mends that for the calls that it knows, not for all."
        );
        return Finding::warning(ABOUT, text, remedy);
    }
    Finding::ok(ABOUT, format!("{name} leads to Moonlock's mount {mount}."))
}

async fn resolves_to_v6(authority: &str) -> bool {
    let resolved = tokio::net::lookup_host(authority).await;
    resolved.is_ok_and(|mut addresses| addresses.any(|address| address.is_ipv6()))
}

/// Claude Code's own settings go before the environment.
fn claude_settings(environment: &Environment, root: &str) -> Option<Finding> {
    let folder = environment.get("CLAUDE_CONFIG_DIR").map(Path::new);
    let home = environment
        .get("HOME")
        .map(|home| Path::new(home).join(".claude"));
    let file = folder.map(Path::to_owned).or(home)?.join("settings.json");
    let settings: Value = serde_json::from_slice(&std::fs::read(&file).ok()?).ok()?;
    let said = settings.get("env")?.get("ANTHROPIC_BASE_URL")?.as_str()?;
    (!said.starts_with(root)).then(|| {
        Finding::warning(
            "claude",
            format!(
                "{} sets ANTHROPIC_BASE_URL to {said}, which goes before what the shell or `moonlock run` say.",
                file.display()
            ),
            "Take it out of the file's \"env\".",
        )
    })
}

/// A proxy that takes calls to this machine, and cannot deliver them.
fn swallows_loopback(environment: &Environment) -> Option<Finding> {
    let set = |names: &[&'static str]| {
        let mut names = names.iter();
        names.find_map(|name| Some((*name, environment.get(name)?)))
    };
    let (name, _) = set(&["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"])?;
    let exceptions = set(&["NO_PROXY", "no_proxy"]).map_or("", |(_, said)| said);
    let is_excepted = exceptions
        .split(',')
        .any(|part| matches!(part.trim(), "*" | "127.0.0.1" | "127.0.0.0/8"));
    (!is_excepted).then(|| {
        let said = if exceptions.is_empty() {
            String::new()
        } else {
            format!("{exceptions},")
        };
        Finding::problem(
            "proxy",
            format!("{name} is set and NO_PROXY does not except 127.0.0.1: tools send their calls to Moonlock to that proxy."),
            format!("export NO_PROXY='{said}127.0.0.1,localhost'"),
        )
    })
}
