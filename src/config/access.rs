//! Who may ask: under which names of this machine, from which pages, with which token.
//!
//! On loopback a page in the user's browser is the stranger: it can send requests to any port of this machine, and its
//! site can point a name of its own here (DNS rebinding). Beyond loopback everybody is, and a token says who is not.

use std::net::IpAddr;
use std::path::PathBuf;

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::mount::Scheme;

/// Names by which programs in containers and virtual machines on this machine reach its loopback.
const GATEWAYS: [&str; 3] = [
    "host.docker.internal",
    "host.containers.internal",
    "host.lima.internal",
];

/// The shortest token: 16 characters of base64 are 96 random bits.
const SHORTEST: usize = 16;

/// Who may ask.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Access {
    token: Option<Token>,
    origins: Vec<Box<str>>,
    hosts: Vec<Box<str>>,
    certificate: Option<Certificate>,
}

/// The files of a certificate of the user's, in PEM: with one, both ports speak TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// The certificate, and those that it is signed by behind it.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
}

/// The secret that a request beyond loopback must bring.
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    secret: Box<str>,
    /// What a browser keeps instead of it.
    pass: Box<str>,
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(…)")
    }
}

impl Token {
    /// Takes a token as the user chose it.
    ///
    /// # Errors
    /// It is too short to keep anybody out, or cannot stand in a header.
    pub fn new(secret: &str) -> Result<Self, &'static str> {
        if secret.len() < SHORTEST {
            return Err("a token has at least 16 characters; `openssl rand -hex 16` makes a good one");
        }
        // It stands in headers, in a cookie and in a path.
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
        if !secret.bytes().all(plain) {
            return Err("a token is made of letters, digits, `-`, `_`, `.` and `~`");
        }
        // Cookies go to every port of a host: what another service there may read must not open the proxy.
        let digest = Sha256::digest(format!("moonlock page {secret}"));
        let pass = digest
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>();
        Ok(Self {
            secret: secret.into(),
            pass: pass.into(),
        })
    }

    /// What requests bring, for Moonlock's own commands to bring it.
    #[must_use]
    pub fn secret(&self) -> &str {
        &self.secret
    }

    /// Whether this is the token. Takes as long wherever the two differ.
    #[must_use]
    pub fn is(&self, said: &str) -> bool {
        self.secret.as_bytes().ct_eq(said.as_bytes()).into()
    }

    /// What a browser's cookie holds once the token was given there. It opens the dashboard, not the proxy.
    #[must_use]
    pub fn pass(&self) -> &str {
        &self.pass
    }

    /// Whether this is [`Self::pass`].
    #[must_use]
    pub fn is_pass(&self, said: &str) -> bool {
        self.pass.as_bytes().ct_eq(said.as_bytes()).into()
    }
}

impl Access {
    /// Everybody who brings this token may ask; without one, the programs of this machine.
    #[must_use]
    pub fn new(token: Option<Token>) -> Self {
        Self {
            token,
            ..Self::default()
        }
    }

    /// Lets pages of these origins, such as `https://chat.example.com`, use the proxy.
    ///
    /// # Errors
    /// Which of them is no origin.
    pub fn allow_origins(mut self, origins: &[String]) -> Result<Self, String> {
        for origin in origins {
            let host = origin
                .strip_prefix("https://")
                .or_else(|| origin.strip_prefix("http://"));
            if host.is_none_or(|host| host.is_empty() || host.contains(['/', '*', '?', '#', ' '])) {
                return Err(format!(
                    "`{origin}` is no origin: expected a scheme and a host, such as https://chat.example.com"
                ));
            }
            self.origins.push(origin.as_str().into());
        }
        Ok(self)
    }

    /// Takes these further names for this machine's.
    ///
    /// # Errors
    /// Which of them is no name.
    pub fn allow_hosts(mut self, hosts: &[String]) -> Result<Self, String> {
        for host in hosts {
            if host.is_empty() || host.contains(['/', '*', ':', ' ']) {
                return Err(format!(
                    "`{host}` is no name of a host: expected one such as devbox.local, without a port"
                ));
            }
            self.hosts.push(host.as_str().into());
        }
        Ok(self)
    }

    /// Has both ports speak TLS with this certificate, or in the clear.
    #[must_use]
    pub fn certified(self, certificate: Option<Certificate>) -> Self {
        Self { certificate, ..self }
    }

    /// The certificate that both ports have, if they have one.
    #[must_use]
    pub const fn certificate(&self) -> Option<&Certificate> {
        self.certificate.as_ref()
    }

    /// How both ports are spoken to.
    #[must_use]
    pub const fn scheme(&self) -> Scheme {
        match self.certificate {
            Some(_) => Scheme::Https,
            None => Scheme::Http,
        }
    }

    /// Whether an `Origin` is that of the dashboard's own page, which was asked for under `host`.
    #[must_use]
    pub fn is_own_page(&self, origin: &str, host: &str) -> bool {
        let is_over = |scheme: Scheme| {
            let rest = origin.strip_prefix(scheme.as_str());
            rest.and_then(|rest| rest.strip_prefix("://")) == Some(host)
        };
        // In front of a token there may be a proxy that speaks TLS.
        is_over(self.scheme()) || (self.token.is_some() && is_over(Scheme::Https))
    }

    /// What goes before a path on the proxy: `/t/TOKEN`, where there is a token.
    #[must_use]
    pub fn path(&self) -> String {
        self.token
            .as_ref()
            .map(|token| format!("/t/{}", token.secret()))
            .unwrap_or_default()
    }

    /// The pages that may use the proxy.
    pub fn origins(&self) -> impl Iterator<Item = &str> {
        self.origins.iter().map(|origin| &**origin)
    }

    /// The further names of this machine.
    pub fn hosts(&self) -> impl Iterator<Item = &str> {
        self.hosts.iter().map(|host| &**host)
    }

    /// The token, if requests must bring one.
    #[must_use]
    pub const fn token(&self) -> Option<&Token> {
        self.token.as_ref()
    }

    /// Whether a request with this `Host` means this machine. Where a token is asked for, the name says nothing.
    #[must_use]
    pub fn is_host(&self, host: &str) -> bool {
        if self.token.is_some() || is_loopback(host) {
            return true;
        }
        let named = |name: &str| {
            // Nobody can register a name without a dot: it is this network's, such as a container's.
            let is_local = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
            if !name.is_empty() && name.bytes().all(is_local) {
                return true;
            }
            let mut known = GATEWAYS.into_iter().chain(self.hosts.iter().map(|host| &**host));
            known.any(|host| host.eq_ignore_ascii_case(name))
        };
        name_of(host).is_some_and(named)
    }

    /// Whether what sends this `Origin` may use the proxy: an allowed page, or a program that no site can pose as. Those
    /// built on browsers have a scheme of their own (`vscode-file://…`, `tauri://…`), which no page has.
    #[must_use]
    pub fn is_origin(&self, origin: &str) -> bool {
        let scheme = origin.split_once("://").map(|(scheme, _)| scheme);
        match scheme.map(str::to_ascii_lowercase).as_deref() {
            Some("http" | "https") => {
                let mut allowed = self.origins.iter();
                allowed.any(|allowed| allowed.eq_ignore_ascii_case(origin))
            }
            // An extension is somebody else's program, and sees what pages see.
            Some(scheme) => !scheme.ends_with("-extension"),
            // `null` is a page that hides where it is from.
            None => false,
        }
    }
}

/// Whether a `Host` is a loopback name, with any port (a tunnel may use another one).
#[must_use]
pub fn is_loopback(host: &str) -> bool {
    name_of(host).is_some_and(|name| {
        name.eq_ignore_ascii_case("localhost")
            || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    })
}

/// A `Host` without its port; `None` if it is none (RFC 9110 §7.2).
fn name_of(host: &str) -> Option<&str> {
    let is_port = |text: &str| {
        text.strip_prefix(':')
            .is_some_and(|digits| digits.parse::<u16>().is_ok())
    };
    let (name, port) = match host.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?,
        None => host.find(':').map_or((host, ""), |at| host.split_at(at)),
    };
    (port.is_empty() || is_port(port)).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owned(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn only_names_of_this_machine_are_its_own() {
        let access = Access::default().allow_hosts(&owned(&["DevBox.local"])).unwrap();
        for host in [
            "127.0.0.1:3001",
            "localhost:3001",
            "LOCALHOST",
            "[::1]:3001",
            "127.0.0.2",
            "host.docker.internal:3002",
            "moonlock:3002",
            "devbox.local:3002",
        ] {
            assert!(access.is_host(host), "{host}");
        }
        for host in [
            "",
            "evil.com",
            "evil.com:3001",
            "127.0.0.1.evil.com",
            "localhost.evil.com",
            "[::1]x",
            "127.0.0.1:x",
            "10.0.0.1",
            "[::1",
            "[fe80::1]:3001",
            "evil.:3001",
            "host.docker.internal.evil.com",
        ] {
            assert!(!access.is_host(host), "{host}");
        }
    }

    #[test]
    fn a_page_uses_the_proxy_only_where_it_is_allowed_to() {
        let access = Access::default()
            .allow_origins(&owned(&["https://Chat.example.com"]))
            .unwrap();
        for origin in [
            "https://chat.example.com",
            "vscode-file://vscode-app",
            "tauri://localhost",
            "app://obsidian.md",
        ] {
            assert!(access.is_origin(origin), "{origin}");
        }
        for origin in [
            "null",
            "",
            "http://evil.com",
            "http://127.0.0.1:3001",
            "http://chat.example.com",
            "https://chat.example.com.evil.com",
            "HTTPS://evil.com",
            "chrome-extension://abc",
            "moz-extension://abc",
        ] {
            assert!(!access.is_origin(origin), "{origin}");
        }
    }

    #[test]
    fn its_own_page_comes_by_the_scheme_that_is_spoken() {
        let plain = Access::default();
        let files = Certificate {
            certificate: "c".into(),
            key: "k".into(),
        };
        let certified = Access::default().certified(Some(files));
        for (access, own, other) in [(&plain, "http", "https"), (&certified, "https", "http")] {
            let is_own = |scheme: &str, host| access.is_own_page(&format!("{scheme}://a:1"), host);
            assert!(is_own(own, "a:1") && !is_own(other, "a:1") && !is_own(own, "a:2"));
        }
        let behind = Access::new(Token::new("0123456789abcdef").ok());
        assert!(behind.is_own_page("https://a:1", "a:1") && behind.is_own_page("http://a:1", "a:1"));
    }

    #[test]
    fn what_is_no_origin_and_no_host_is_said() {
        for origin in ["*", "chat.example.com", "https://", "https://a/b", ""] {
            assert!(
                Access::default().allow_origins(&owned(&[origin])).is_err(),
                "{origin}"
            );
        }
        for host in ["*", "http://a", "a:1", ""] {
            assert!(Access::default().allow_hosts(&owned(&[host])).is_err(), "{host}");
        }
    }

    #[test]
    fn a_token_is_known_by_all_of_it_and_a_cookie_is_not_the_token() {
        let token = Token::new("0123456789abcdef").unwrap();
        assert!(token.is("0123456789abcdef"));
        for said in [
            "",
            "0123456789abcde",
            "0123456789abcdeF",
            "0123456789abcdef0",
            token.pass(),
        ] {
            assert!(!token.is(said), "{said}");
        }
        assert!(token.is_pass(token.pass()) && !token.is_pass("0123456789abcdef"));
        assert!(Token::new("short").is_err() && Token::new("0123456789 abcdef").is_err());
        assert!(!format!("{token:?}").contains("0123"));
        let access = Access::new(Some(token));
        assert!(access.is_host("anything.example"), "the token says who it is");
    }
}
