//! How tools are pointed at the proxy.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// `GET /api/connect`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Connect {
    /// The proxy's address, with the session's prefix where one was asked for.
    pub proxy_url: String,
    /// Variables that tools read their provider's address from, as they would have to be set.
    pub variables: BTreeMap<String, String>,
    /// Each tool.
    pub tools: Vec<Tool>,
}

/// One tool.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Tool {
    /// Stable.
    pub id: String,
    /// As its users call it.
    pub name: String,
    /// What its calls' `client` may be.
    pub clients: Vec<String>,
    /// The file that `text` goes into; `null` where it is typed or said in code.
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
