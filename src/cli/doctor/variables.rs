//! Where the variables of this shell send the tools that read them.

use std::net::SocketAddr;

use super::Finding;
use super::address::Address;
use crate::config::connect::Connect;
use crate::config::{Environment, Settings};

const ABOUT: &str = "variables";

/// Looks at every variable that points a tool somewhere. `proxy` is where the proxy is.
pub(super) async fn look(environment: &Environment, settings: &Settings, proxy: SocketAddr) -> Vec<Finding> {
    let root = format!("{}://{proxy}", settings.access.scheme().as_str());
    let Ok(connect) = Connect::new(&root) else {
        return Vec::new();
    };
    let mut findings = Vec::new();
    for name in connect.names() {
        if let Some(said) = environment.get(name) {
            let usual = connect.variables().get(name).map(String::as_str);
            let address = Address {
                about: ABOUT,
                name,
                said,
                usual: usual.map(str::to_owned),
                file: None,
            };
            findings.push(address.judge(settings, proxy).await);
        }
    }
    if findings.is_empty() {
        findings.push(Finding::ok(
            ABOUT,
            "None is set in this shell: `moonlock run -- CMD` sets them for one command, `eval \"$(moonlock env)\"` here.",
        ));
    }
    findings.extend(swallows_loopback(environment));
    findings
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
