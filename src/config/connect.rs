//! How tools are pointed at the proxy: the table in `config/connect.toml`, filled in for this machine.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

const TABLE: &str = include_str!("../../config/connect.toml");
/// Stands for the proxy's address.
const PLACE: &str = "{proxy}";

/// How each tool is pointed at the proxy.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Connect {
    /// Variables that tools read their provider's address from.
    variables: BTreeMap<String, String>,
    tools: Vec<Tool>,
}

/// One tool.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Tool {
    /// Stable.
    pub id: String,
    /// As its users call it.
    pub name: String,
    /// What its calls' `client` may be.
    pub clients: Vec<String>,
    /// The file that `text` goes into; `None` where it is typed or said in code.
    pub file: Option<String>,
    /// What `text` is written in: `sh`, `toml`, `json`, `python`, `javascript` or `text`.
    pub language: String,
    /// What to copy.
    pub text: String,
    /// How to undo it.
    pub undo: String,
    /// What else to know.
    pub note: Option<String>,
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
        Ok(table)
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

/// A session's part of the proxy's address: `/s/{session}`, with the name as a path may hold it (RFC 3986 §3.3).
#[must_use]
pub fn session_path(session: &str) -> String {
    let mut path = String::from("/s/");
    for byte in session.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            path.push(char::from(byte));
        } else {
            path.push_str(&format!("%{byte:02X}"));
        }
    }
    path
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
