//! Who is told of alerts, as a configuration file says it: `[[notify]]`.

use serde::Deserialize;

use super::error::ConfigError;
use super::resolve::Environment;
use super::said::Said;
use crate::domain::alert::{Rule, Severity};
use crate::domain::notice::{Hidden, Target, TargetKind};

/// So many targets may be named.
const MOST: usize = 32;

/// One `[[notify]]` table.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTarget {
    kind: TargetKind,
    name: Option<String>,
    url: Option<String>,
    url_variable: Option<String>,
    secret: Option<String>,
    secret_variable: Option<String>,
    severity: Option<Severity>,
    #[serde(default)]
    rules: Vec<Rule>,
}

/// Its address and its secret are not shown.
impl std::fmt::Debug for RawTarget {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = f.debug_struct("RawTarget");
        shown
            .field("kind", &self.kind)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// The targets of all files.
///
/// # Errors
/// The first that cannot be used, with where it stands.
pub(super) fn resolve(
    raw: &[RawTarget],
    environment: &Environment,
    said: &Said,
) -> Result<Vec<Target>, ConfigError> {
    let mut targets: Vec<Target> = Vec::new();
    for (at, raw) in raw.iter().enumerate() {
        let wrong = |problem: String| ConfigError::Target {
            place: said.source(&format!("notify[{at}]")).to_string(),
            problem,
        };
        let target = raw.resolve(environment).map_err(wrong)?;
        if targets.iter().any(|other| other.name == target.name) {
            let problem = format!(
                "there is another `{}`: give each a `name` of its own",
                target.name
            );
            return Err(wrong(problem));
        }
        if targets.len() == MOST {
            return Err(wrong(format!("there are more than {MOST} targets")));
        }
        targets.push(target);
    }
    Ok(targets)
}

impl RawTarget {
    fn resolve(&self, environment: &Environment) -> Result<Target, String> {
        let name = self.name.as_deref().unwrap_or(self.kind.name());
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if !(1..=64).contains(&name.len()) || !name.bytes().all(is_plain) {
            return Err("its `name` consists of up to 64 letters, digits, `-`, `_` and `.`".to_owned());
        }
        let url = either(
            environment,
            "url",
            self.url.as_deref(),
            self.url_variable.as_deref(),
        )?;
        let secret = self.secret.as_deref();
        let secret = either(environment, "secret", secret, self.secret_variable.as_deref())?;
        match (self.kind, &url) {
            (TargetKind::Desktop, None) => {}
            (TargetKind::Desktop, Some(_)) => return Err("the desktop has no `url`".to_owned()),
            (_, Some(url)) => check(url)?,
            (_, None) => return Err("it has no `url`, and no `url_variable` that names one".to_owned()),
        }
        if secret.is_some() && self.kind != TargetKind::Webhook {
            return Err("only messages to a webhook are signed: leave `secret` out".to_owned());
        }
        Ok(Target {
            name: name.into(),
            kind: self.kind,
            url: url.map(|url| Hidden(url.into())),
            secret: secret.map(|secret| Hidden(secret.into())),
            severity: self.severity.unwrap_or(Severity::Warning),
            rules: self.rules.clone(),
        })
    }
}

/// What the file says, or the variable that it names.
fn either<'a>(
    environment: &'a Environment,
    key: &str,
    own: Option<&'a str>,
    variable: Option<&str>,
) -> Result<Option<&'a str>, String> {
    match (own, variable) {
        (Some(_), Some(_)) => Err(format!("it has both `{key}` and `{key}_variable`: leave one out")),
        (Some(""), None) => Err(format!("its `{key}` is empty")),
        (own, None) => Ok(own),
        (None, Some(variable)) => environment
            .get(variable)
            .map(Some)
            .ok_or_else(|| format!("`{key}_variable` is {variable}, which is not set")),
    }
}

/// Whether an address can be spoken to. What is said of it does not hold it: it may be a secret.
pub(super) fn check(url: &str) -> Result<(), String> {
    let wrong =
        || "its address must begin with https:// or http:// and name a host, without a user".to_owned();
    let parsed: http::Uri = url.parse().map_err(|_| wrong())?;
    let is_http = matches!(parsed.scheme_str(), Some("http" | "https"));
    let has_user = parsed.authority().is_none_or(|host| host.as_str().contains('@'));
    if !is_http || has_user {
        return Err(wrong());
    }
    Ok(())
}
