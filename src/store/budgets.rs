//! The table `budgets`: those that begin anew every day, week or month.

use rusqlite::{Connection, Row, params};

use super::error::ReadError;
use super::sql_types::Unsigned;
use crate::domain::budget::{Allowance, AtLimit, Budget, Counts, Filter, Period, Terms};
use crate::domain::ids::BudgetId;
use crate::domain::units::Tokens;

/// Stores a budget as it is now.
pub(super) fn put(connection: &Connection, budget: &Budget) -> rusqlite::Result<()> {
    const UPSERT: &str = "INSERT INTO budgets (id, name, period, provider, model, client, token_budget, counts, \
            cost_budget_nano_usd, at_limit, created_at, revision) \
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12) \
        ON CONFLICT DO UPDATE SET name = excluded.name, period = excluded.period, provider = excluded.provider, \
            model = excluded.model, client = excluded.client, token_budget = excluded.token_budget, \
            counts = excluded.counts, cost_budget_nano_usd = excluded.cost_budget_nano_usd, \
            at_limit = excluded.at_limit, revision = excluded.revision";
    let Terms {
        name,
        period,
        of,
        allowance,
    } = &budget.terms;
    connection.prepare_cached(UPSERT)?.execute(params![
        budget.id,
        name,
        period.name(),
        of.provider,
        of.model,
        of.client,
        allowance.tokens,
        allowance.counts.name(),
        allowance.cost,
        allowance.at_limit.name(),
        budget.created_at,
        Tokens(budget.revision),
    ])?;
    Ok(())
}

/// Forgets a budget.
pub(super) fn remove(connection: &Connection, id: BudgetId) -> rusqlite::Result<()> {
    const DELETE: &str = "DELETE FROM budgets WHERE id = ?1";
    connection.prepare_cached(DELETE)?.execute([id]).map(drop)
}

/// All of them, in the order in which they were made; one that cannot be read is an error in its place.
pub(super) fn all(connection: &Connection) -> rusqlite::Result<Vec<Result<Budget, ReadError>>> {
    const SELECT: &str = "SELECT id, name, period, provider, model, client, token_budget, counts, \
        cost_budget_nano_usd, at_limit, created_at, revision FROM budgets ORDER BY id";
    let mut statement = connection.prepare_cached(SELECT)?;
    let mut rows = statement.query([])?;
    let mut budgets = Vec::new();
    while let Some(row) = rows.next()? {
        budgets.push(budget(row));
    }
    Ok(budgets)
}

fn budget(row: &Row<'_>) -> Result<Budget, ReadError> {
    Ok(Budget {
        id: row.get(0)?,
        terms: Terms {
            name: row.get(1)?,
            period: named(row, 2, "period", Period::from_name)?,
            of: Filter {
                provider: row.get(3)?,
                model: row.get(4)?,
                client: row.get(5)?,
            },
            allowance: Allowance {
                tokens: row.get(6)?,
                counts: named(row, 7, "counts", Counts::from_name)?,
                cost: row.get(8)?,
                at_limit: named(row, 9, "at_limit", AtLimit::from_name)?,
            },
        },
        created_at: row.get(10)?,
        revision: row.get::<_, Unsigned>(11)?.0,
    })
}

fn named<T>(
    row: &Row<'_>,
    column: usize,
    field: &'static str,
    of_name: fn(&str) -> Option<T>,
) -> Result<T, ReadError> {
    let name: Box<str> = row.get(column)?;
    of_name(&name).ok_or_else(|| ReadError::bad_row("budgets", field, name))
}
