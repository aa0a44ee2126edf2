//! An address that leads a tool somewhere: whether calls by it reach Moonlock, and what to do where they do not.

use std::fmt;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use tokio::net::TcpStream;

use super::Finding;
use crate::config::Settings;
use crate::config::mount::shown;

/// How long a connection on this machine may take.
const PATIENCE: Duration = Duration::from_millis(500);

/// An address, and where it is said.
pub(super) struct Address<'a> {
    /// What the finding is about.
    pub(super) about: &'static str,
    /// The variable, or the key in the file.
    pub(super) name: &'a str,
    /// Where it leads.
    pub(super) said: &'a str,
    /// What would lead to Moonlock.
    pub(super) usual: Option<String>,
    /// The file that says it; `None` is a variable.
    pub(super) file: Option<&'a Path>,
}

impl fmt::Display for Address<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(file) = self.file {
            write!(f, "{}: ", file.display())?;
        }
        write!(f, "{}={}", self.name, shown(self.said))
    }
}

impl Address<'_> {
    /// Judges it. `proxy` is where the proxy is.
    pub(super) async fn judge(&self, settings: &Settings, proxy: SocketAddr) -> Finding {
        let instead = |what: &str| {
            let scheme = settings.access.scheme().as_str();
            let remedy = self.remedy(&format!(
                "Point it at a mount of {scheme}://{proxy}, or take it out."
            ));
            Finding::problem(self.about, format!("{self} {what}"), remedy)
        };
        let (scheme, rest) = self.said.split_once("://").unwrap_or(("http", self.said));
        let at = rest.find('/').unwrap_or(rest.len());
        let (authority, path) = rest.split_at(at);
        let (host, port) = authority.rsplit_once(':').unwrap_or((authority, ""));
        if !matches!(host, "localhost" | "[::1]") && !host.starts_with("127.") {
            return self.elsewhere(settings);
        }
        if port == settings.port.to_string() && settings.port != proxy.port() {
            return instead("leads to the dashboard's port, where no calls are taken.");
        }
        if port != proxy.port().to_string() {
            let connecting = tokio::time::timeout(PATIENCE, TcpStream::connect(authority));
            return match connecting.await {
                Ok(Ok(_)) => self.elsewhere(settings),
                _ => instead("leads to a port where nothing listens."),
            };
        }
        if scheme != "http" {
            return instead("asks for TLS, which Moonlock does not speak on loopback.");
        }
        if host == "localhost" && resolves_to_v6(authority).await && proxy.is_ipv4() {
            return instead("says `localhost`, which is ::1 here for some tools, where nothing listens.");
        }
        if host == "[::1]" && proxy.is_ipv4() {
            return instead(&format!(
                "says ::1; Moonlock listens on {}, not on ::1.",
                proxy.ip()
            ));
        }
        self.path_of(settings, path)
    }

    /// How to set what would be right, or else what to do.
    fn remedy(&self, otherwise: &str) -> String {
        match (&self.usual, self.file) {
            (Some(usual), None) => format!("export {}='{usual}'", self.name),
            (Some(usual), Some(_)) => format!("Set {} = \"{usual}\" there.", self.name),
            (None, _) => otherwise.to_owned(),
        }
    }

    /// It leads to another machine, or to another program on this one.
    fn elsewhere(&self, settings: &Settings) -> Finding {
        let remedy = match (settings.mounts.path_for(self.said), &self.usual, self.file) {
            (Some(_), Some(_), Some(_)) => self.remedy(""),
            (Some(path), ..) => format!(
                "`moonlock run` sends it over the mount {path}; or set it to Moonlock's address yourself."
            ),
            (None, Some(_), None) => {
                "Leave it if that is meant; else unset it. A mount of your own makes it seen (see \
                                      Configuration in the README)."
                    .to_owned()
            }
            (None, _, Some(_)) => {
                "Leave it if that is meant. A mount of your own for it makes its calls seen (see \
                                   Configuration in the README)."
                    .to_owned()
            }
            (None, None, None) => "Leave it if that is meant.".to_owned(),
        };
        let text = format!("{self} leads past Moonlock, so those calls are not seen.");
        Finding::warning(self.about, text, remedy)
    }

    /// It leads to the proxy: whether its path is one that the tool can do with.
    fn path_of(&self, settings: &Settings, path: &str) -> Finding {
        let mut parts = path.trim_matches('/').split('/');
        let mut mount = parts.next().unwrap_or_default();
        if mount == "s" {
            parts.next();
            mount = parts.next().unwrap_or_default();
        }
        let remedy = self.remedy("Put one of the mounts behind the address; the README lists them.");
        if settings.mounts.get(mount).is_none() {
            let text = format!("{self} names no mount: every call is answered with 404.");
            return Finding::problem(self.about, text, remedy);
        }
        let rest: Vec<&str> = parts.filter(|part| !part.is_empty()).collect();
        let expected = self.usual.as_deref().and_then(|usual| {
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
                "{self} {what} `{expected}`: Moonlock mends that for the calls that it knows, not for all."
            );
            return Finding::warning(self.about, text, remedy);
        }
        Finding::ok(
            self.about,
            format!("{} leads to Moonlock's mount {mount}.", self.name),
        )
    }
}

async fn resolves_to_v6(authority: &str) -> bool {
    let resolved = tokio::net::lookup_host(authority).await;
    resolved.is_ok_and(|mut addresses| addresses.any(|address| address.is_ipv6()))
}
