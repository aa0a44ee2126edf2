//! What became of what was taken in.

use serde::{Deserialize, Serialize};

/// The answer to `POST /api/calls/import`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ImportedCalls {
    /// New ones.
    pub imported: u64,
    /// Those that were imported before, when their log said less of them.
    pub updated: u64,
    /// Those that were imported before.
    pub known: u64,
    /// Those that the proxy metered itself: that counts, and not the log.
    pub metered: u64,
    /// Those that are older than the calls that are kept, and left out: their sums may be here already.
    pub too_old: u64,
}

/// The answer to `POST /api/import`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ImportedExport {
    /// Its sessions.
    pub sessions: ImportedThings,
    /// Its calls.
    pub calls: ImportedThings,
    /// Calls that are older than those that are kept, and left out: their sums may be here already.
    pub too_old: u64,
    /// Calls that the export says it has, and that did not come: the file was cut off, or lines were taken out.
    pub missing: u64,
    /// What was refused, and why: the first hundred.
    pub refused: Vec<NotImported>,
}

/// What became of things of a kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ImportedThings {
    /// Taken in.
    pub new: u64,
    /// There already: they stay as they are.
    pub known: u64,
    /// Not usable.
    pub refused: u64,
}

/// A thing of an export that is not usable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct NotImported {
    /// Where it stands: a line, or a place in the document.
    pub place: String,
    /// The field that is at fault; `null`: the whole of it.
    pub field: Option<String>,
    /// What is wrong with it.
    pub problem: String,
}
