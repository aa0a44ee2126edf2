//! `moonlock guard`: whether there is budget left, as an exit code for scripts and hooks.

use clap::Args;
use serde::Deserialize;
use serde_json::{Value, json};

use super::arguments::{Budget, here};
use super::client::{Client, ClientError};
use super::exit::{Failure, GUARD_USAGE};
use super::print::{count, dollars, percent, plain};
use super::{client_runtime, say, tell};
use crate::config::{Environment, Flags, Settings};
use crate::domain::alert::Measure;
use crate::domain::budget::{Allowance, Counts, Used};
use crate::domain::units::{NanoUsd, Tokens};
use crate::domain::wire::{BudgetView, SessionView, Totals};

/// Say by the exit code whether there is budget left
#[derive(Debug, Args)]
#[command(after_help = "\
Exit codes: 0 there is budget left, 1 it is used up, 64 wrong usage, 69 that cannot be said (Moonlock does not run, no
session is current, or a budget in dollars and calls without a known price); --fail-open makes 0 of 69.

Examples:
  moonlock guard --budget 500k || exit 1
  moonlock guard --budget '$20' --since day
  moonlock guard --session refactor            # by the session's own budgets
  moonlock guard --standing                    # by those of every day, week or month
  moonlock guard --budget '$5' --fail-open && claude -p \"next task\"")]
pub(super) struct Guard {
    /// How much may be used: tokens (500000, 500k) or dollars ('$5') [default: the session's own budgets]
    #[arg(long, value_name = "N|$N", required_unless_present_any = ["session", "standing"])]
    budget: Option<Budget>,
    /// What counts: this session, by id or name [default: $MOONLOCK_SESSION, or the current one]
    #[arg(long, value_name = "SESSION", conflicts_with = "since")]
    session: Option<String>,
    /// What counts: all calls since the beginning of this hour, day, week, month or year
    #[arg(long, value_name = "PERIOD", value_parser = ["hour", "day", "week", "month", "year"], requires = "budget")]
    since: Option<String>,
    /// By a budget that begins anew every day, week or month: its name or id [default: all of them]
    #[arg(long, value_name = "NAME", num_args = 0..=1, default_missing_value = "",
        conflicts_with_all = ["budget", "session", "since"])]
    standing: Option<String>,
    /// End with 0 where it cannot be said
    #[arg(long)]
    fail_open: bool,
    /// Print nothing
    #[arg(long, short)]
    quiet: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    flags: Flags,
}

/// What is used of a budget, and whose it is.
struct Spent {
    of: String,
    used: Used,
}

impl Spent {
    /// What these sums use of each budget.
    fn of(name: &str, allowance: Allowance, totals: &Totals) -> Result<Vec<Self>, Failure> {
        let spent = allowance.used(totals).map(|used| {
            // What has no price costs something all the same.
            if used.measure == Measure::Cost && !used.is_up() && totals.unpriced_requests > 0 {
                return Err(Failure::unavailable(&format_args!(
                    "{} calls have no known price, so what was spent is not known: give them one ([[prices]] in the \
                     configuration), or set a budget in tokens",
                    totals.unpriced_requests
                )));
            }
            Ok(Self { of: name.to_owned(), used })
        });
        spent.collect()
    }

    fn text(&self) -> String {
        let Used {
            measure,
            counts,
            used,
            limit,
        } = self.used;
        let percent = percent(used, limit).unwrap_or(100);
        let amount = |amount: u64| match measure {
            Measure::Tokens => count(amount),
            Measure::Cost => dollars(NanoUsd(i64::try_from(amount).unwrap_or(i64::MAX))),
        };
        let unit = match (measure, counts) {
            (Measure::Tokens, Counts::All) => " tokens",
            (Measure::Tokens, Counts::Fresh) => " fresh tokens",
            (Measure::Cost, _) => "",
        };
        let (used, limit) = (amount(used), amount(limit));
        format!("{}: {percent} % used: {used} of {limit}{unit}", plain(&self.of))
    }

    fn json(&self) -> Value {
        let unit = match self.used.measure {
            Measure::Tokens => "tokens",
            Measure::Cost => "nanoUsd",
        };
        json!({ "of": self.of, "used": self.used.used, "limit": self.used.limit, "unit": unit })
    }
}

/// What a budget of the command line allows.
fn allowance(budget: Budget) -> Allowance {
    match budget {
        Budget::Tokens(tokens) => Allowance::tokens(Some(tokens)),
        Budget::Cost(cost) => Allowance {
            cost: Some(cost),
            ..Allowance::default()
        },
    }
}

pub(super) fn run(environment: &Environment, guard: &Guard) -> Result<(), Failure> {
    match check(environment, guard) {
        Err(failure) if failure.is_unavailable() && guard.fail_open => {
            if let Some(why) = failure.message().filter(|_| !guard.quiet) {
                tell(&format!("moonlock: passed, though it cannot be said: {why}"));
            }
            Ok(())
        }
        ended => ended.map_err(|failure| failure.with_usage(GUARD_USAGE)),
    }
}

fn check(environment: &Environment, guard: &Guard) -> Result<(), Failure> {
    let settings = Settings::load(environment, &guard.flags).map_err(|error| Failure::usage(&error))?;
    let client = Client::of(&settings)?;
    let (of, spent) = client_runtime()?.block_on(ask(environment, guard, &client))?;
    let is_up = spent.iter().any(|spent| spent.used.is_up());
    if guard.json {
        let budgets: Vec<Value> = spent.iter().map(Spent::json).collect();
        say(&json!({ "of": of, "usedUp": is_up, "budgets": budgets }).to_string());
    } else if !guard.quiet {
        spent.iter().for_each(|spent| say(&spent.text()));
    }
    if is_up { Err(Failure::silent(1)) } else { Ok(()) }
}

/// What counts, and what is used of the budgets.
async fn ask(
    environment: &Environment,
    guard: &Guard,
    client: &Client,
) -> Result<(String, Vec<Spent>), Failure> {
    if let Some(named) = &guard.standing {
        return standing(client, named).await;
    }
    if let (Some(period), Some(budget)) = (&guard.since, guard.budget) {
        let of = format!("this {period}");
        let spent = Spent::of(&of, allowance(budget), &since(client, period).await?)?;
        return Ok((of, spent));
    }
    let named = guard.session.as_deref().or_else(|| here(environment));
    let session = client
        .session(named)
        .await
        .map_err(|failure| match failure.message() {
            Some(why) if !failure.is_unavailable() => Failure::unavailable(&why),
            _ => failure,
        })?;
    let allowance = guard.budget.map_or_else(|| own(&session), allowance);
    if allowance.is_empty() {
        return Err(Failure::usage(&format_args!(
            "the session {} has no budget: say one with --budget",
            plain(&session.name)
        )));
    }
    let spent = Spent::of(&session.name, allowance, &session.usage)?;
    Ok((session.name, spent))
}

fn own(session: &SessionView) -> Allowance {
    Allowance {
        tokens: session.token_budget.map(Tokens),
        counts: session.budget_counts,
        cost: session.cost_budget_nano_usd.map(NanoUsd),
        ..Allowance::default()
    }
}

/// The standing budgets with this name or id; all of them for an empty one.
async fn standing(client: &Client, named: &str) -> Result<(String, Vec<Spent>), Failure> {
    #[derive(Deserialize)]
    struct Page {
        budgets: Vec<BudgetView>,
    }
    let Page { mut budgets } = client.get("/api/budgets").await?;
    if !named.is_empty() {
        budgets.retain(|budget| budget.name == named || budget.id.to_string() == named);
    }
    if budgets.is_empty() {
        let what = match named {
            "" => "there is no standing budget".to_owned(),
            named => format!("there is no standing budget `{}`", plain(named)),
        };
        return Err(Failure::unavailable(&format_args!(
            "{what}; the dashboard and POST /api/budgets make them"
        )));
    }
    let mut spent = Vec::new();
    for budget in &budgets {
        spent.extend(Spent::of(&budget.name, budget.allowance(), &budget.usage)?);
    }
    let of = match named {
        "" => "standing budgets",
        named => named,
    };
    Ok((of.to_owned(), spent))
}

async fn since(client: &Client, period: &str) -> Result<Totals, ClientError> {
    #[derive(Deserialize)]
    struct Groups {
        groups: Vec<Totals>,
    }
    let zone = jiff::tz::TimeZone::system();
    let zone = zone
        .iana_name()
        .map(|name| format!("&timeZone={name}"))
        .unwrap_or_default();
    let path = format!("/api/analytics/usage?period={period}&groupBy=provider{zone}");
    let found: Groups = client.get(&path).await?;
    let mut sums = Totals::default();
    found.groups.iter().for_each(|totals| sums.merge(totals));
    Ok(sums)
}
