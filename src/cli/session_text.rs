//! A session in words: the lines that say where it stands.

use super::print::{
    self, BAD, FAINT, GOOD, STRONG, UNKNOWN, WARNING, clock, count, dollars, percent, plain, short, span,
    styled,
};
use crate::domain::alert::text::Odds;
use crate::domain::alert::{Severity, Thresholds};
use crate::domain::budget::{Counts, permille};
use crate::domain::session::Status;
use crate::domain::units::{Millis, NanoUsd};
use crate::domain::wire::{BudgetForecast, SessionView, Totals};

/// A session's mark: a sign that can be told apart without colour.
pub(super) const fn mark(status: Status) -> &'static str {
    match status {
        Status::Active => "●",
        Status::Paused => "‖",
        Status::Completed => "■",
    }
}

/// How a status looks.
pub(super) const fn style(status: Status) -> anstyle::Style {
    match status {
        Status::Active => GOOD,
        Status::Paused => WARNING,
        Status::Completed => FAINT,
    }
}

/// The clock's face, with where it ends: `0:12:03 of 2:00:00`.
pub(super) fn face(session: &SessionView) -> String {
    let elapsed = clock(Millis(session.elapsed_ms));
    session.duration.map_or(elapsed.clone(), |planned| {
        format!("{elapsed} of {}", clock(Millis(planned)))
    })
}

/// What calls cost. What has no price is left out of the sum, which is therefore the least that it can be.
pub(super) fn cost(totals: &Totals) -> String {
    match totals.cost_nano_usd {
        Some(cost) if totals.unpriced_requests > 0 => format!("≥ {}", dollars(NanoUsd(cost))),
        Some(cost) => dollars(NanoUsd(cost)),
        None if totals.total == 0 => dollars(NanoUsd(0)),
        None => UNKNOWN.to_owned(),
    }
}

/// How much of the prompts came from a cache, in whole per cent; `None` where there was none.
pub(super) fn cached(totals: &Totals) -> Option<u64> {
    let prompts = totals.input + totals.cache_read + totals.cache_write;
    percent(totals.cache_read, prompts)
}

/// A budget of a session: how much is used of it, as it looks, and what is foretold.
pub(super) struct BudgetLine {
    /// In whole per cent.
    pub(super) percent: u64,
    /// The sentence.
    text: String,
}

/// The budgets of a session; `alert_at` are the shares at which they alert.
pub(super) fn budgets(session: &SessionView, alert_at: &Thresholds) -> Vec<BudgetLine> {
    let used = match session.budget_counts {
        Counts::All => session.usage.total,
        Counts::Fresh => session.usage.total.saturating_sub(session.usage.cache_read),
    };
    let forecast = session.forecast.as_deref();
    let tokens = session.token_budget.map(|limit| {
        let foretold = forecast.and_then(|forecast| forecast.token_budget);
        let of = format!("{} tokens", count(limit));
        budget(used, limit, &of, foretold, alert_at)
    });
    let money = session.cost_budget_nano_usd.map(|limit| {
        let whole = |nanos: i64| u64::try_from(nanos).unwrap_or(0);
        let foretold = forecast.and_then(|forecast| forecast.cost_budget);
        let spent = whole(session.usage.cost_nano_usd.unwrap_or(0));
        let of = dollars(NanoUsd(limit));
        budget(spent, whole(limit), &of, foretold, alert_at)
    });
    tokens.into_iter().chain(money).collect()
}

/// The same as sentences.
pub(super) fn budget_texts(session: &SessionView, alert_at: &Thresholds) -> Vec<String> {
    let budgets = budgets(session, alert_at).into_iter();
    budgets.map(|budget| budget.text).collect()
}

fn budget(
    used: u64,
    limit: u64,
    of: &str,
    foretold: Option<BudgetForecast>,
    alert_at: &Thresholds,
) -> BudgetLine {
    let percent = percent(used, limit).unwrap_or(100);
    let passed = alert_at.of_budget(permille(used, limit), None);
    let style = match passed.map(|passed| passed.severity) {
        None | Some(Severity::Info) => GOOD,
        Some(Severity::Warning) => WARNING,
        Some(Severity::Critical) => BAD,
    };
    let mut text = format!("{} of {of}", styled(style, &format!("{percent} %")));
    if let Some(foretold) = foretold.filter(|_| used < limit) {
        let time = foretold.time_to_limit;
        let at = |ms: Option<u64>| ms.map_or_else(|| "over a day".to_owned(), |ms| span(Millis(ms)));
        text.push_str(&format!(
            "; {} likely to be used up by the end, in {} to {}",
            Odds(foretold.overrun_percent),
            at(time.early_ms),
            at(time.late_ms),
        ));
    }
    BudgetLine { percent, text }
}

/// One line: `● refactor  0:12:03 of 2:00:00  1.2M tokens  $3.41`.
pub(super) fn headline(session: &SessionView) -> String {
    let status = session.status;
    format!(
        "{} {}  {}  {}",
        styled(style(status), mark(status)),
        styled(STRONG, &plain(&session.name)),
        styled(style(status), status.name()),
        face(session),
    )
}

/// All that is worth knowing of a session, a line each.
pub(super) fn lines(session: &SessionView, alert_at: &Thresholds) -> Vec<String> {
    let line = |name: &str, text: &str| format!("  {} {text}", styled(FAINT, &format!("{name:<9}")));
    let usage = &session.usage;
    let mut lines = vec![headline(session), line("tokens", &tokens(usage))];
    lines.push(line("cost", &cost_line(usage)));
    let budgets = budget_texts(session, alert_at);
    lines.extend(budgets.iter().map(|budget| line("budget", budget)));
    if let Some(rate) = session.burn_rate.filter(|_| session.status == Status::Active) {
        let money = rate
            .nano_usd_per_minute
            .map(|nanos| format!(", {} a minute", dollars(NanoUsd(nanos))));
        let text = format!(
            "{} tokens a minute{}",
            short(rate.tokens_per_minute),
            money.unwrap_or_default()
        );
        lines.push(line("rate", &text));
    }
    if let Some(forecast) = session.forecast.as_deref() {
        let band = forecast.total.band_80;
        let money = forecast.cost_nano_usd.map(|cost| {
            let nanos = |nanos| dollars(NanoUsd(i64::try_from(nanos).unwrap_or(i64::MAX)));
            format!(", {} to {}", nanos(cost.band_80.low), nanos(cost.band_80.high))
        });
        let text = format!(
            "{} to {} tokens{} at the end (80 %)",
            short(band.low),
            short(band.high),
            money.unwrap_or_default()
        );
        lines.push(line("forecast", &text));
    }
    lines
}

/// A session's tokens by part.
pub(super) fn tokens(usage: &Totals) -> String {
    let parts = [
        ("input", usage.input),
        ("cache read", usage.cache_read),
        ("cache write", usage.cache_write),
        ("output", usage.output),
        ("reasoning in it", usage.reasoning),
    ];
    let parts: Vec<String> = parts
        .iter()
        .filter(|(_, tokens)| *tokens > 0)
        .map(|(name, tokens)| format!("{name} {}", count(*tokens)))
        .collect();
    if parts.is_empty() {
        return count(usage.total);
    }
    format!("{} ({})", count(usage.total), parts.join(", "))
}

/// What it cost, in how many calls, and how much of the prompts a cache gave.
pub(super) fn cost_line(usage: &Totals) -> String {
    let calls = if usage.requests == 1 { "call" } else { "calls" };
    let mut text = format!("{} in {} {calls}", cost(usage), count(usage.requests));
    if let Some(share) = cached(usage) {
        text.push_str(&format!(", {share} % of the prompts from a cache"));
    }
    if usage.unpriced_requests > 0 {
        text.push_str(&format!(
            "; {} tokens without a known price",
            print::count(usage.unpriced_tokens)
        ));
    }
    if usage.errors > 0 {
        text.push_str(&format!("; {} failed", print::count(usage.errors)));
    }
    text
}
