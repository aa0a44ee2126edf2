//! `moonlock guard`: whether there is budget left, as an exit code for scripts and hooks.

use clap::Args;
use serde::Deserialize;
use serde_json::json;

use super::arguments::{Budget, here};
use super::client::{Client, ClientError};
use super::exit::{Failure, GUARD_USAGE};
use super::print::{count, dollars, percent, plain};
use super::{client_runtime, say, tell};
use crate::config::{Environment, Flags, Settings};
use crate::domain::units::{NanoUsd, Tokens};
use crate::domain::wire::{SessionView, Totals};

/// Say by the exit code whether there is budget left
#[derive(Debug, Args)]
#[command(after_help = "\
Exit codes: 0 there is budget left, 1 it is used up, 64 wrong usage, 69 that cannot be said (Moonlock does not run, no
session is current, or a budget in dollars and calls without a known price); --fail-open makes 0 of 69.

Examples:
  moonlock guard --budget 500k || exit 1
  moonlock guard --budget '$20' --since day
  moonlock guard --session refactor            # by the session's own budgets
  moonlock guard --budget '$5' --fail-open && claude -p \"next task\"")]
pub(super) struct Guard {
    /// How much may be used: tokens (500000, 500k) or dollars ('$5') [default: the session's own budgets]
    #[arg(long, value_name = "N|$N", required_unless_present = "session")]
    budget: Option<Budget>,
    /// What counts: this session, by id or name [default: $MOONLOCK_SESSION, or the current one]
    #[arg(long, value_name = "SESSION", conflicts_with = "since")]
    session: Option<String>,
    /// What counts: all calls since the beginning of this hour, day, week, month or year
    #[arg(long, value_name = "PERIOD", value_parser = ["hour", "day", "week", "month", "year"], requires = "budget")]
    since: Option<String>,
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

/// What is used of a budget.
struct Used {
    budget: Budget,
    used: u64,
    limit: u64,
}

impl Used {
    fn of(budget: Budget, totals: &Totals) -> Result<Self, Failure> {
        let whole = |nanos: i64| u64::try_from(nanos).unwrap_or(0);
        let (used, limit) = match budget {
            Budget::Tokens(limit) => (totals.total, limit.0),
            Budget::Cost(limit) => (whole(totals.cost_nano_usd.unwrap_or(0)), whole(limit.0)),
        };
        // What has no price costs something all the same.
        if matches!(budget, Budget::Cost(_)) && used < limit && totals.unpriced_requests > 0 {
            return Err(Failure::unavailable(&format_args!(
                "{} calls have no known price, so what was spent is not known: give them one ([[prices]] in the \
                 configuration), or set a budget in tokens",
                totals.unpriced_requests
            )));
        }
        Ok(Self { budget, used, limit })
    }

    const fn is_up(&self) -> bool {
        self.used >= self.limit
    }

    fn text(&self) -> String {
        let percent = percent(self.used, self.limit).unwrap_or(100);
        let amount = |amount: u64| match self.budget {
            Budget::Tokens(_) => count(amount),
            Budget::Cost(_) => dollars(NanoUsd(i64::try_from(amount).unwrap_or(i64::MAX))),
        };
        let unit = match self.budget {
            Budget::Tokens(_) => " tokens",
            Budget::Cost(_) => "",
        };
        format!(
            "{percent} % used: {} of {}{unit}",
            amount(self.used),
            amount(self.limit)
        )
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
    let (of, used) = client_runtime()?.block_on(ask(environment, guard, &client))?;
    let is_up = used.iter().any(Used::is_up);
    if guard.json {
        let of_each = used.iter().map(|used| {
            json!({ "used": used.used, "limit": used.limit, "unit": match used.budget {
                Budget::Tokens(_) => "tokens",
                Budget::Cost(_) => "nanoUsd",
            }})
        });
        say(&json!({ "of": of, "usedUp": is_up, "budgets": of_each.collect::<Vec<_>>() }).to_string());
    } else if !guard.quiet {
        used.iter()
            .for_each(|used| say(&format!("{}: {}", plain(&of), used.text())));
    }
    if is_up { Err(Failure::silent(1)) } else { Ok(()) }
}

/// What counts, and what is used of the budgets.
async fn ask(
    environment: &Environment,
    guard: &Guard,
    client: &Client,
) -> Result<(String, Vec<Used>), Failure> {
    if let (Some(period), Some(budget)) = (&guard.since, guard.budget) {
        let totals = since(client, period).await?;
        return Ok((format!("this {period}"), vec![Used::of(budget, &totals)?]));
    }
    let named = guard.session.as_deref().or_else(|| here(environment));
    let session = client
        .session(named)
        .await
        .map_err(|failure| match failure.message() {
            Some(why) if !failure.is_unavailable() => Failure::unavailable(&why),
            _ => failure,
        })?;
    let budgets = match guard.budget {
        Some(budget) => vec![budget],
        None => own(&session),
    };
    if budgets.is_empty() {
        return Err(Failure::usage(&format_args!(
            "the session {} has no budget: say one with --budget",
            plain(&session.name)
        )));
    }
    let used = budgets.into_iter().map(|budget| Used::of(budget, &session.usage));
    Ok((session.name.clone(), used.collect::<Result<_, _>>()?))
}

fn own(session: &SessionView) -> Vec<Budget> {
    let tokens = session.token_budget.map(|tokens| Budget::Tokens(Tokens(tokens)));
    let cost = session
        .cost_budget_nano_usd
        .map(|cost| Budget::Cost(NanoUsd(cost)));
    tokens.into_iter().chain(cost).collect()
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
