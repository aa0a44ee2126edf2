//! What can be set, and who set it.

use serde::Serialize;
use serde_json::Value;

/// Every setting, as `/api/settings` and `moonlock config --json` show them.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct SettingsView {
    /// The user's configuration file, if there is one.
    pub file: Option<String>,
    /// Whether some were changed that hold only when Moonlock is started again.
    pub restart_needed: bool,
    /// By the parts that they belong to; then the mounts, the user's own prices, who is told of alerts, and the environment's own.
    pub settings: Vec<SettingView>,
}

/// One setting.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct SettingView {
    /// The key in a configuration file, with its table: `server.port`; a variable's name where only the environment
    /// has it.
    pub name: String,
    /// What is set; `null` where nothing is. Never a secret: what stands for one is `•••`.
    #[cfg_attr(test, ts(type = "unknown"))]
    pub value: Value,
    /// What holds if nobody says otherwise.
    #[cfg_attr(test, ts(type = "unknown"))]
    pub default: Value,
    /// Who said it.
    pub source: SettingSource,
    /// What it means, in one line.
    pub meaning: String,
    /// The variable that sets it.
    pub variable: Option<String>,
    /// The flag that sets it.
    pub flag: Option<String>,
    /// Whether Moonlock has to be started again for a change to hold.
    pub needs_restart: bool,
    /// Whether `PATCH /api/settings` changes it: neither the file's own affair nor set by the environment or a flag.
    pub changeable: bool,
    /// Whether it was changed since the start and holds from the next one on.
    pub pending: bool,
}

/// Who said what a setting is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(tag = "kind", rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub enum SettingSource {
    /// Nobody: it is as it comes.
    Default,
    /// The user's configuration file.
    File {
        /// The file.
        file: String,
        /// The line, from 1.
        line: usize,
    },
    /// The environment.
    Environment {
        /// The variable.
        variable: String,
    },
    /// The command line.
    Flag {
        /// The flag.
        flag: String,
    },
}

impl std::fmt::Display for SettingSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { file, line } => write!(f, "{file}:{line}"),
            Self::Environment { variable } => write!(f, "environment {variable}"),
            Self::Flag { flag } => write!(f, "flag {flag}"),
        }
    }
}
