//! What is said of budgets that begin anew.

use serde::{Deserialize, Serialize};

use super::Totals;
use crate::domain::budget::{Allowance, AtLimit, Budget, Counts, Period};
use crate::domain::ids::BudgetId;
use crate::domain::units::{NanoUsd, Timestamp, Tokens};

/// A budget that begins anew every day, week or month, as `/api/budgets` shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct BudgetView {
    /// UUIDv7.
    #[cfg_attr(test, ts(type = "string"))]
    pub id: BudgetId,
    /// The user's name for it.
    pub name: String,
    /// When it begins anew, in the zone of the machine that Moonlock runs on.
    pub period: Period,
    /// The mount's name whose calls it counts; `null` is any.
    pub provider: Option<String>,
    /// The model whose calls it counts; `null` is any.
    pub model: Option<String>,
    /// The program whose calls it counts; `null` is any.
    pub client: Option<String>,
    /// How many tokens may be used; `null` is no budget.
    pub token_budget: Option<u64>,
    /// Which tokens count.
    pub budget_counts: Counts,
    /// How much money may be used, in billionths of a US dollar; `null` is no budget.
    pub cost_budget_nano_usd: Option<i64>,
    /// What happens when it is used up.
    pub at_limit: AtLimit,
    /// Whether it refuses calls now.
    pub blocks: bool,
    /// Rises with every change.
    pub revision: u64,
    /// UTC epoch milliseconds.
    pub created_at: i64,
    /// From when the running period lasts; UTC epoch milliseconds.
    pub from: i64,
    /// When the next one begins; UTC epoch milliseconds.
    pub to: i64,
    /// What is used in it.
    pub usage: Totals,
}

/// `GET /api/budgets`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct BudgetsPage {
    /// In the order in which they were made.
    pub budgets: Vec<BudgetView>,
}

impl BudgetView {
    /// Shows a budget in a period, with what is used in it.
    #[must_use]
    pub fn new(budget: &Budget, from: Timestamp, to: Timestamp, usage: Totals) -> Self {
        let terms = &budget.terms;
        let text = |text: &Option<Box<str>>| text.as_deref().map(str::to_owned);
        Self {
            id: budget.id,
            name: terms.name.to_string(),
            period: terms.period,
            provider: text(&terms.of.provider),
            model: text(&terms.of.model),
            client: text(&terms.of.client),
            token_budget: terms.allowance.tokens.map(|tokens| tokens.0),
            budget_counts: terms.allowance.counts,
            cost_budget_nano_usd: terms.allowance.cost.map(|cost| cost.0),
            at_limit: terms.allowance.at_limit,
            blocks: terms.allowance.refuses(&usage).is_some(),
            revision: budget.revision,
            created_at: budget.created_at.0,
            from: from.0,
            to: to.0,
            usage,
        }
    }

    /// How much may be used in a period.
    #[must_use]
    pub fn allowance(&self) -> Allowance {
        Allowance {
            tokens: self.token_budget.map(Tokens),
            counts: self.budget_counts,
            cost: self.cost_budget_nano_usd.map(NanoUsd),
            at_limit: self.at_limit,
        }
    }
}
