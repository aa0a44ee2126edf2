//! `/api/budgets`: budgets that begin anew every day, week or month.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::ToSchema;

use super::ApiState;
use super::body::JsonBody;
use super::error::ApiError;
use super::session_fields::{cost_budget, said, token_budget};
use super::sessions::revision;
use crate::domain::budget::{
    Allowance, AllowancePatch, AtLimit, Counts, Filter, MAX_NAME, Period, Terms, TermsPatch,
};
use crate::domain::ids::BudgetId;
use crate::domain::wire::{BudgetView, BudgetsPage};

#[utoipa::path(
    get,
    path = "/budgets",
    tag = "budgets",
    summary = "Budgets that begin anew every day, week or month.",
    responses((status = 200, body = BudgetsPage))
)]
pub(super) async fn list(State(state): State<ApiState>) -> Result<Json<BudgetsPage>, ApiError> {
    let budgets = state.engine().budgets().await?;
    Ok(Json(BudgetsPage { budgets }))
}

#[utoipa::path(
    get,
    path = "/budgets/{id}",
    tag = "budgets",
    summary = "One of them.",
    params(("id" = String, Path, format = "uuid")),
    responses((status = 200, body = BudgetView))
)]
pub(super) async fn get(State(state): State<ApiState>, Path(id): Path<String>) -> Result<Response, ApiError> {
    let id = budget_id(&id)?;
    let budgets = state.engine().budgets().await?;
    let budget = budgets.into_iter().find(|budget| budget.id == id);
    budget
        .map(answer)
        .ok_or_else(|| ApiError::not_found(format!("there is no budget {id}")))
}

/// What makes a budget.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = NewBudget)]
pub(super) struct New {
    #[schema(min_length = 1, max_length = 200, pattern = r"\S")]
    name: String,
    period: Period,
    #[serde(default)]
    #[schema(min_length = 1, max_length = 200, pattern = r"\S")]
    provider: Option<String>,
    #[serde(default)]
    #[schema(min_length = 1, max_length = 200, pattern = r"\S")]
    model: Option<String>,
    #[serde(default)]
    #[schema(min_length = 1, max_length = 200, pattern = r"\S")]
    client: Option<String>,
    #[serde(default)]
    #[schema(minimum = 1, maximum = 1_000_000_000_000_i64)]
    token_budget: Option<u64>,
    #[serde(default)]
    budget_counts: Option<Counts>,
    #[serde(default)]
    #[schema(minimum = 1)]
    cost_budget_nano_usd: Option<i64>,
    #[serde(default)]
    at_limit: Option<AtLimit>,
}

impl New {
    fn check(self) -> Result<Terms, ApiError> {
        let allowance = Allowance {
            tokens: self.token_budget.map(token_budget).transpose()?,
            counts: self.budget_counts.unwrap_or(Counts::All),
            cost: self.cost_budget_nano_usd.map(cost_budget).transpose()?,
            at_limit: self.at_limit.unwrap_or(AtLimit::Alert),
        };
        if allowance.is_empty() {
            let detail = "a budget needs `tokenBudget`, `costBudgetNanoUsd` or both";
            return Err(ApiError::field("tokenBudget", detail));
        }
        Ok(Terms {
            name: name("name", &self.name)?,
            period: self.period,
            of: Filter {
                provider: of("provider", self.provider)?,
                model: of("model", self.model)?,
                client: of("client", self.client)?,
            },
            allowance,
        })
    }
}

#[utoipa::path(
    post,
    path = "/budgets",
    tag = "budgets",
    summary = "Makes one.",
    request_body = New,
    responses((status = 201, body = BudgetView))
)]
pub(super) async fn create(
    State(state): State<ApiState>,
    JsonBody(new): JsonBody<New>,
) -> Result<Response, ApiError> {
    let created = state.engine().create_budget(new.check()?).await?;
    let place = format!("/api/budgets/{}", created.id);
    Ok((StatusCode::CREATED, [(header::LOCATION, place)], answer(created)).into_response())
}

/// What changes a budget. What is left out stays.
#[derive(Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[schema(as = BudgetPatch)]
pub(super) struct Changed {
    #[schema(min_length = 1, max_length = 200, pattern = r"\S")]
    name: Option<String>,
    period: Option<Period>,
    /// `null` is any.
    #[serde(deserialize_with = "said")]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 200, pattern = r"\S")]
    provider: Option<Option<String>>,
    /// `null` is any.
    #[serde(deserialize_with = "said")]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 200, pattern = r"\S")]
    model: Option<Option<String>>,
    /// `null` is any.
    #[serde(deserialize_with = "said")]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 200, pattern = r"\S")]
    client: Option<Option<String>>,
    /// `null` is none.
    #[serde(deserialize_with = "said")]
    #[schema(value_type = Option<u64>, minimum = 1, maximum = 1_000_000_000_000_i64)]
    token_budget: Option<Option<u64>>,
    budget_counts: Option<Counts>,
    /// `null` is none.
    #[serde(deserialize_with = "said")]
    #[schema(value_type = Option<i64>, minimum = 1)]
    cost_budget_nano_usd: Option<Option<i64>>,
    at_limit: Option<AtLimit>,
    /// The revision that the change is meant for; the `If-Match` header says the same.
    revision: Option<u64>,
}

impl Changed {
    fn check(self) -> Result<TermsPatch, ApiError> {
        let patch = TermsPatch {
            name: self.name.map(|text| name("name", &text)).transpose()?,
            period: self.period,
            provider: self.provider.map(|text| of("provider", text)).transpose()?,
            model: self.model.map(|text| of("model", text)).transpose()?,
            client: self.client.map(|text| of("client", text)).transpose()?,
            allowance: AllowancePatch {
                tokens: self
                    .token_budget
                    .map(|budget| budget.map(token_budget).transpose())
                    .transpose()?,
                counts: self.budget_counts,
                cost: self
                    .cost_budget_nano_usd
                    .map(|budget| budget.map(cost_budget).transpose())
                    .transpose()?,
                at_limit: self.at_limit,
            },
        };
        if patch == TermsPatch::default() {
            let detail = "nothing to change: give at least one of name, period, provider, model, client, tokenBudget, \
                          budgetCounts, costBudgetNanoUsd, atLimit";
            return Err(ApiError::field("", detail));
        }
        Ok(patch)
    }
}

#[utoipa::path(
    patch,
    path = "/budgets/{id}",
    tag = "budgets",
    summary = "Changes one.",
    params(("id" = String, Path, format = "uuid"), ("If-Match" = Option<String>, Header, description = "The revision that the change is meant for, as the ETag gave it.")),
    request_body = Changed,
    responses((status = 200, body = BudgetView))
)]
pub(super) async fn change(
    State(state): State<ApiState>,
    Path(id): Path<String>,
    headers: HeaderMap,
    JsonBody(changed): JsonBody<Changed>,
) -> Result<Response, ApiError> {
    let id = budget_id(&id)?;
    let revision = revision(changed.revision, &headers)?;
    let changed = state
        .engine()
        .change_budget(id, changed.check()?, revision)
        .await?;
    Ok(answer(changed))
}

#[utoipa::path(
    delete,
    path = "/budgets/{id}",
    tag = "budgets",
    summary = "Forgets one.",
    params(("id" = String, Path, format = "uuid")),
    responses((status = 204))
)]
pub(super) async fn remove(
    State(state): State<ApiState>,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    state.engine().drop_budget(budget_id(&id)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn budget_id(text: &str) -> Result<BudgetId, ApiError> {
    text.parse()
        .map_err(|_| ApiError::not_found(format!("there is no budget `{text}`: an id is a UUID")))
}

/// A name, of the budget or of what it is limited to.
fn name(field: &str, text: &str) -> Result<Box<str>, ApiError> {
    let name = text.trim();
    if name.is_empty() || name.chars().count() > MAX_NAME {
        let detail = format!("`{field}` must have 1 to {MAX_NAME} characters");
        return Err(ApiError::field(field, detail));
    }
    Ok(name.into())
}

fn of(field: &str, text: Option<String>) -> Result<Option<Box<str>>, ApiError> {
    text.map(|text| name(field, &text)).transpose()
}

/// A budget, with its revision as the ETag.
fn answer(budget: BudgetView) -> Response {
    let revision = format!("\"{}\"", budget.revision);
    ([(header::ETAG, revision)], Json(budget)).into_response()
}
