//! How tools are pointed at the proxy: the table in `config/connect.toml`, filled in for this machine.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::mount::{Mounts, is_host_part};
use super::resolve::Environment;
use crate::domain::wire::Tool;

const TABLE: &str = include_str!("../../config/connect.toml");
/// Stands for the proxy's address.
const PLACE: &str = "{proxy}";

/// How each tool is pointed at the proxy.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Connect {
    /// Variables that tools read their provider's address from.
    variables: BTreeMap<String, String>,
    redirected: Redirected,
    regional: Vec<Regional>,
    programs: BTreeMap<String, Program>,
    tools: Vec<Tool>,
}

/// Variables that are pointed elsewhere only where the user has set them.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Redirected {
    names: Vec<String>,
}

/// A variable for a mount that takes a region next.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Regional {
    variable: String,
    mount: String,
    /// The variables that may hold the region.
    from: Vec<String>,
    /// The variable that holds a key which passes as it is; without one the mount must sign.
    key: Option<String>,
    /// What follows the region.
    #[serde(default)]
    path: String,
}

/// A program that is pointed at the proxy by arguments.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Program {
    arguments: Vec<String>,
    /// The same for who uses it with a plan instead of a key.
    plan_arguments: Vec<String>,
}

/// What pays for a program's calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Account {
    /// An API key.
    Key,
    /// A plan that the user signed in to.
    Plan,
}

/// The variables that point a program at the proxy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pointed {
    /// What to set.
    pub set: BTreeMap<String, String>,
    /// What the user has set to addresses that no mount leads to: it stays, and calls there are not seen.
    pub unknown: BTreeMap<String, String>,
}

impl Connect {
    /// The table for a proxy at `base`, e.g. `http://127.0.0.1:3002` or `http://127.0.0.1:3002/s/refactor`.
    ///
    /// # Errors
    /// The table that is built in is wrong, which the tests exclude.
    pub fn new(base: &str) -> Result<Self, toml::de::Error> {
        let mut table: Self = toml::from_str(TABLE)?;
        for tool in &mut table.tools {
            tool.text = tool.text.trim_start().replace(PLACE, base);
        }
        for value in table.variables.values_mut() {
            value.insert_str(0, base);
        }
        for program in table.programs.values_mut() {
            let arguments = program.arguments.iter_mut().chain(&mut program.plan_arguments);
            arguments.for_each(|argument| *argument = argument.replace(PLACE, base));
        }
        Ok(table)
    }

    /// What points a program with this environment at the proxy, whose root is `proxy` and whose `base` this table was
    /// made for. Who has set a provider's address goes on using that provider; who has set one that no mount leads to
    /// keeps it.
    #[must_use]
    pub fn point(&self, proxy: &str, base: &str, environment: &Environment, mounts: &Mounts) -> Pointed {
        let mut pointed = Pointed::default();
        for name in self.names() {
            let usual = self.variables.get(name);
            let Some(said) = environment.get(name) else {
                if let Some(usual) = usual {
                    pointed.set.insert(name.to_owned(), usual.clone());
                }
                continue;
            };
            match path_on_proxy(proxy, said).or_else(|| mounts.path_for(&with_scheme(said))) {
                Some(path) => pointed.set.insert(name.to_owned(), format!("{base}{path}")),
                None => pointed.unknown.insert(name.to_owned(), said.to_owned()),
            };
        }
        for Regional {
            variable,
            mount,
            from,
            key,
            path,
        } in &self.regional
        {
            let has_key = key.as_ref().is_some_and(|key| environment.get(key).is_some());
            let signs = mounts.get(mount).is_some_and(|mount| mount.signing.is_some());
            let region = from.iter().find_map(|name| environment.get(name));
            let address = match (environment.get(variable), region) {
                (Some(said), _) => path_on_proxy(proxy, said).or_else(|| mounts.path_for(said)),
                (None, Some(region)) => is_host_part(region).then(|| format!("/{mount}/{region}{path}")),
                (None, None) => None,
            };
            if let Some(address) = address.filter(|_| has_key || signs) {
                pointed.set.insert(variable.clone(), format!("{base}{address}"));
            }
        }
        pointed
    }

    /// The names of all variables that lead a tool to its provider and hold an address alone.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let names = self.variables.keys().chain(&self.redirected.names);
        names.map(String::as_str)
    }

    /// The arguments that point a program at the proxy, to stand before its own.
    #[must_use]
    pub fn arguments(&self, program: &str, account: Account) -> &[String] {
        let program = self.programs.get(program);
        program.map_or(&[], |program| match account {
            Account::Key => &program.arguments,
            Account::Plan => &program.plan_arguments,
        })
    }

    /// The tools, those first that most ask for.
    #[must_use]
    pub fn tools(&self) -> &[Tool] {
        &self.tools
    }

    /// The variables and their values, by name.
    #[must_use]
    pub const fn variables(&self) -> &BTreeMap<String, String> {
        &self.variables
    }
}

/// An address as some programs take it, without a scheme: `127.0.0.1:11434`.
fn with_scheme(address: &str) -> String {
    if address.contains("://") {
        address.to_owned()
    } else {
        format!("http://{address}")
    }
}

/// The path of an address that is on the proxy already, without the token and the session that it may name.
fn path_on_proxy(proxy: &str, address: &str) -> Option<String> {
    let address = with_scheme(address).replace("//localhost:", "//127.0.0.1:");
    let path = address.strip_prefix(proxy)?;
    let without = |path: &'_ str, start| {
        path.strip_prefix(start).map_or(path.to_owned(), |rest: &str| {
            let at = rest.find('/').unwrap_or(rest.len());
            rest.get(at..).unwrap_or_default().to_owned()
        })
    };
    let path = without(&without(path, "/t/"), "/s/");
    path.starts_with('/').then_some(path)
}

/// A session's part of the proxy's address: `/s/{session}`, with the name as a path may hold it (RFC 3986 §3.3).
#[must_use]
pub fn session_path(session: &str) -> String {
    format!("/s/{}", percent_encoded(session))
}

/// A text as any part of a URL may hold it (RFC 3986 §2).
#[must_use]
pub fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_filled_in() {
        let connect = Connect::new("http://127.0.0.1:3002/s/refactor").unwrap();
        assert_eq!(
            connect.variables()["OPENAI_BASE_URL"],
            "http://127.0.0.1:3002/s/refactor/openai/v1"
        );
        let mut ids: Vec<_> = connect.tools().iter().map(|tool| &tool.id).collect();
        let all = ids.len();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), all, "an id stands for one tool");
        for tool in connect.tools() {
            assert!(
                tool.text.contains("http://127.0.0.1:3002/s/refactor/"),
                "{}",
                tool.id
            );
            assert!(
                !tool.text.contains(PLACE) && !tool.clients.is_empty(),
                "{}",
                tool.id
            );
        }
    }

    fn point(pairs: &[(&str, &str)], settings: &str) -> Pointed {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), settings).unwrap();
        let flags = crate::config::Flags {
            config: Some(file.path().to_owned()),
            ..Default::default()
        };
        let settings = crate::config::Settings::load(&Environment::default(), &flags).unwrap();
        let base = "http://127.0.0.1:3002/s/x";
        let environment = Environment::from_pairs(pairs.iter().copied());
        let connect = Connect::new(base).unwrap();
        connect.point("http://127.0.0.1:3002", base, &environment, &settings.mounts)
    }

    #[test]
    fn who_uses_another_provider_goes_on_using_it() {
        for (name, said, expected) in [
            ("OPENAI_BASE_URL", "https://api.openai.com/v1", Some("/openai/v1")),
            (
                "OPENAI_BASE_URL",
                "https://openrouter.ai/api/v1/",
                Some("/openrouter/api/v1"),
            ),
            (
                "OPENAI_BASE_URL",
                "https://api.openai.com:443/v1",
                Some("/openai/v1"),
            ),
            ("OPENAI_BASE_URL", "http://localhost:8000/v1", Some("/vllm/v1")),
            ("OPENAI_BASE_URL", "https://llm.corp.example/v1", None),
            ("OPENAI_BASE_URL", "not an address", None),
            (
                "OPENAI_BASE_URL",
                "http://127.0.0.1:3002/groq/openai/v1",
                Some("/groq/openai/v1"),
            ),
            (
                "OPENAI_BASE_URL",
                "http://localhost:3002/s/old%20one/openai/v1",
                Some("/openai/v1"),
            ),
            ("OPENAI_BASE_URL", "http://127.0.0.1:30021/openai/v1", None),
            (
                "ANTHROPIC_BASE_URL",
                "https://api.deepseek.com/anthropic",
                Some("/deepseek/anthropic"),
            ),
            ("OLLAMA_HOST", "127.0.0.1:11434", Some("/ollama")),
            ("OLLAMA_HOST", "gpu:11434", None),
            (
                "AZURE_OPENAI_ENDPOINT",
                "https://my-res.openai.azure.com/",
                Some("/azure/my-res"),
            ),
            (
                "AZURE_OPENAI_ENDPOINT",
                "https://evil.example/.openai.azure.com",
                None,
            ),
        ] {
            let pointed = point(&[(name, said)], "");
            let address = expected.map(|path| format!("http://127.0.0.1:3002/s/x{path}"));
            assert_eq!(pointed.set.get(name), address.as_ref(), "{name}={said}");
            assert_eq!(
                pointed.unknown.contains_key(name),
                expected.is_none(),
                "{name}={said}"
            );
        }
        let pointed = point(&[], "");
        assert!(
            !pointed.set.contains_key("AZURE_OPENAI_ENDPOINT"),
            "no one asked for it"
        );
        assert_eq!(pointed.set["GROQ_BASE_URL"], "http://127.0.0.1:3002/s/x/groq");
    }

    #[test]
    fn regions_are_pointed_at_only_where_the_provider_would_take_the_call() {
        let bedrock = |name: &str, pairs: &[(&str, &str)], settings: &str| {
            let found = point(pairs, settings).set;
            found
                .get(name)
                .map(|address| address.replace("http://127.0.0.1:3002/s/x", ""))
        };
        let (claude, boto) = ("ANTHROPIC_BEDROCK_BASE_URL", "AWS_ENDPOINT_URL_BEDROCK_RUNTIME");
        let (region, key) = (("AWS_REGION", "eu-west-1"), ("AWS_BEARER_TOKEN_BEDROCK", "k"));
        let signs = "[mounts.bedrock]\nsign = \"aws\"";
        let there = Some("/bedrock/eu-west-1".to_owned());
        assert_eq!(
            bedrock(claude, &[region], ""),
            None,
            "the signature would be refused"
        );
        assert_eq!(bedrock(claude, &[region, key], ""), there);
        assert_eq!(
            bedrock(boto, &[region, key], ""),
            None,
            "Boto3 sends a key over TLS only"
        );
        assert_eq!(bedrock(boto, &[region], signs), there);
        assert_eq!(bedrock(claude, &[key], ""), None, "no region");
        assert_eq!(bedrock(claude, &[("AWS_REGION", "a/b"), key], ""), None);
        assert_eq!(
            bedrock("ANTHROPIC_VERTEX_BASE_URL", &[("CLOUD_ML_REGION", "global")], ""),
            Some("/vertex/global/v1".to_owned())
        );
    }

    #[test]
    fn codex_is_pointed_by_arguments_and_a_plan_has_its_own_address() {
        let connect = Connect::new("http://h").unwrap();
        assert_eq!(
            connect.arguments("codex", Account::Key),
            ["-c", "openai_base_url=\"http://h/openai/v1\""]
        );
        assert_eq!(
            connect.arguments("codex", Account::Plan)[1],
            "openai_base_url=\"http://h/chatgpt/backend-api/codex\""
        );
        assert!(connect.arguments("claude", Account::Key).is_empty());
    }

    #[test]
    fn any_name_fits_into_a_path() {
        for (name, path) in [
            ("refactor", "/s/refactor"),
            ("a b/c", "/s/a%20b%2Fc"),
            ("ü?#%", "/s/%C3%BC%3F%23%25"),
        ] {
            assert_eq!(session_path(name), path);
        }
    }
}
