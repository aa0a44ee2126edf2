//! The way to the providers: as calls take it, up to the TLS handshake, with no request sent.

use std::time::Duration;

use futures_util::future::join_all;

use super::Finding;
use crate::config::{Mount, Settings};
use crate::proxy::reach;

const ABOUT: &str = "provider";

/// How long a connection may take.
const PATIENCE: Duration = Duration::from_secs(8);

/// Looked at where nothing was used yet.
const USUAL: [&str; 2] = ["anthropic", "openai"];

/// Looks at the mounts that were used lately.
pub(super) async fn look(settings: &Settings, used: &[Box<str>]) -> Vec<Finding> {
    let names: Vec<&str> = if used.is_empty() {
        USUAL.to_vec()
    } else {
        used.iter().map(|name| &**name).collect()
    };
    // A mount whose host is in each call's path has no host to look at.
    let mounts = names
        .iter()
        .filter_map(|name| settings.mounts.get(name))
        .filter(|mount| !mount.takes_host_part);
    join_all(mounts.map(|mount| connect(mount))).await
}

async fn connect(mount: &Mount) -> Finding {
    let name = &mount.name;
    let host = mount.upstream.authority_for(None).unwrap_or_default();
    let url = format!("{}://{host}", mount.upstream.scheme.as_str());
    let reached = tokio::time::timeout(PATIENCE, reach(&url)).await;
    let why = match reached {
        Ok(Ok(())) => return Finding::ok(ABOUT, format!("{name}: {url} can be reached.")),
        Ok(Err(why)) => why,
        Err(_) => format!("no answer within {} s", PATIENCE.as_secs()),
    };
    let lower = why.to_lowercase();
    let remedy = if lower.contains("certificate") {
        "If a proxy of your network opens TLS, set SSL_CERT_FILE to a file with its certificate and the system's."
    } else if lower.contains("dns") || lower.contains("lookup") || lower.contains("resolve") {
        "Check the network and the name; behind a proxy, set HTTPS_PROXY where Moonlock is started."
    } else {
        "Check the network; behind a proxy, set HTTPS_PROXY where Moonlock is started."
    };
    Finding::problem(ABOUT, format!("{name}: {url} cannot be reached: {why}."), remedy)
}
