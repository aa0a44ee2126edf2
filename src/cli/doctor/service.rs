//! Who listens on Moonlock's ports.

use std::net::{SocketAddr, TcpListener};

use super::Finding;
use crate::cli::client::{Client, ClientError, Health, Place};
use crate::config::Settings;

const ABOUT: &str = "service";

/// Looks at both ports; with where the proxy is.
pub(super) async fn look(settings: &Settings) -> (Vec<Finding>, SocketAddr) {
    let proxy = SocketAddr::new(settings.host, settings.proxy_port);
    let client = match Client::of(settings) {
        Ok(client) => client,
        Err(error) => {
            let remedy = "Set PORT to the port that it took.";
            return (vec![Finding::warning(ABOUT, error.to_string(), remedy)], proxy);
        }
    };
    match client.health().await {
        Ok(health) => {
            let found = health.proxy_url.split_once("://").map(|(_, address)| address);
            let found = found.and_then(|address| address.parse().ok()).unwrap_or(proxy);
            (runs(&client, &health, proxy, found), found)
        }
        Err(ClientError::NotRunning(place)) => (does_not_run(settings, place, proxy), proxy),
        Err(error) => {
            let port = settings.port;
            let remedy = format!(
                "Stop that program, or give Moonlock another port with PORT. `lsof -i :{port}` says which program it is."
            );
            (vec![Finding::problem(ABOUT, error.to_string(), remedy)], proxy)
        }
    }
}

fn runs(client: &Client, health: &Health, expected: SocketAddr, found: SocketAddr) -> Vec<Finding> {
    let (version, own) = (&health.version, env!("CARGO_PKG_VERSION"));
    let mut findings = vec![Finding::ok(
        ABOUT,
        format!(
            "Moonlock {version} runs: dashboard {}, proxy {}://{found}.",
            client.place(),
            client.place().scheme.as_str()
        ),
    )];
    if version != own {
        let text = format!("Moonlock {version} runs, but this command is version {own}.");
        findings.push(Finding::warning("versions", text, "Restart Moonlock."));
    }
    if expected != found && expected.port() != 0 {
        let text = format!("The proxy listens at {found}, but the settings here say {expected}.");
        let remedy = format!("Restart Moonlock, or set PROXY_PORT={} here.", found.port());
        findings.push(Finding::warning("ports", text, remedy));
    }
    if health.status != "ok" {
        let text = format!(
            "Moonlock says of itself: {}; its rows are not being written.",
            health.status
        );
        findings.push(Finding::problem(
            ABOUT,
            text,
            "Make room on the disk, and look at its log.",
        ));
    }
    findings
}

fn does_not_run(settings: &Settings, dashboard: Place, proxy: SocketAddr) -> Vec<Finding> {
    let mut findings = vec![Finding::warning(
        ABOUT,
        format!("Moonlock is not running at {dashboard}."),
        "Start it with `moonlock`; `moonlock run -- CMD` starts it by itself.",
    )];
    for (name, address) in [("PORT", dashboard.address), ("PROXY_PORT", proxy)] {
        if let Err(error) = TcpListener::bind(address) {
            let text = format!("Moonlock could not listen on {address}: {error}.");
            let remedy = format!(
                "Stop the program that has the port (`lsof -i :{}`), or choose another with {name}.",
                address.port()
            );
            findings.push(Finding::problem("ports", text, remedy));
        }
    }
    if settings.proxy_port == 0 {
        findings.push(Finding::warning(
            "ports",
            "The proxy takes another port at each start, for PROXY_PORT is 0.",
            "Give it a port, so that tools find it again.",
        ));
    }
    findings
}
