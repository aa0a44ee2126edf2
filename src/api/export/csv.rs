//! Comma-separated values (RFC 4180): a row a call, always the same columns in the same order; new ones go to the end.

use std::io::{self, Write};

use super::json::ExportedSession;
use super::{Head, Writer};
use crate::domain::call::Call;
use crate::domain::live::Movable;
use crate::domain::units::{NanoUsd, Timestamp};
use crate::domain::wire::CallView;

const COLUMNS: [&str; 36] = [
    "id",
    "startedAt",
    "startedAtMs",
    "sessionId",
    "session",
    "attribution",
    "conversation",
    "client",
    "provider",
    "model",
    "requestModel",
    "operation",
    "streamed",
    "status",
    "outcome",
    "source",
    "input",
    "cacheRead",
    "cacheWrite",
    "output",
    "reasoning",
    "unsplit",
    "total",
    "webSearches",
    "costUsd",
    "costNanoUsd",
    "priceSource",
    "priceDate",
    "ttftMs",
    "durationMs",
    "requestId",
    "error",
    "countedBy",
    "askedSession",
    "agent",
    "parentAgent",
];

pub(super) struct Csv<W: Write>(csv::Writer<W>);

impl<W: Write> Csv<W> {
    pub(super) fn new(out: W) -> Self {
        let writer = csv::WriterBuilder::new()
            .terminator(csv::Terminator::CRLF)
            .from_writer(out);
        Self(writer)
    }
}

impl<W: Write> Writer for Csv<W> {
    fn begin(&mut self, _: &Head) -> io::Result<()> {
        Ok(self.0.write_record(COLUMNS)?)
    }

    fn session(&mut self, _: &ExportedSession) -> io::Result<()> {
        Ok(())
    }

    fn call(&mut self, call: &Movable, session: Option<&str>) -> io::Result<()> {
        Ok(self.0.write_record(row(&call.call, session))?)
    }

    fn finish(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

fn row(call: &Call, session: Option<&str>) -> [String; COLUMNS.len()] {
    let parts = call.end.as_ref().map(|end| end.parts).unwrap_or_default();
    let view = CallView::from(call);
    [
        view.id.to_string(),
        moment(call.start.started_at),
        view.started_at.to_string(),
        or_empty(view.session_id),
        text(session),
        view.attribution.name().to_owned(),
        text(view.conversation.as_deref()),
        text(view.client.as_deref()),
        text(Some(&view.provider)),
        text(view.model.as_deref()),
        text(view.request_model.as_deref()),
        view.operation.name().to_owned(),
        or_empty(view.streamed),
        or_empty(view.status),
        view.outcome.name().to_owned(),
        view.source.map_or("", |source| source.name()).to_owned(),
        or_empty(view.input),
        or_empty(view.cache_read),
        or_empty(view.cache_write),
        or_empty(view.output),
        or_empty(view.reasoning),
        or_empty(parts.unsplit.map(|tokens| tokens.0)),
        or_empty(view.total),
        or_empty(parts.web_searches),
        view.cost_nano_usd
            .map(|cost| dollars(NanoUsd(cost)))
            .unwrap_or_default(),
        or_empty(view.cost_nano_usd),
        view.price_source.map_or("", |source| source.name()).to_owned(),
        view.price_date.unwrap_or_default(),
        or_empty(view.ttft_ms),
        or_empty(view.duration_ms),
        text(view.request_id.as_deref()),
        text(view.error.as_deref()),
        or_empty(view.counted_by),
        text(view.asked_session.as_deref()),
        text(view.agent.as_deref()),
        text(view.parent_agent.as_deref()),
    ]
}

fn or_empty(value: Option<impl ToString>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

/// Text from outside. A spreadsheet would take some beginnings for a formula and run it; an apostrophe makes it text
/// (OWASP, *CSV Injection*).
fn text(text: Option<&str>) -> String {
    let text = text.unwrap_or_default();
    if text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

/// ISO 8601, UTC, to the millisecond.
fn moment(at: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(at.0)
        .map(|at| format!("{at:.3}"))
        .unwrap_or_default()
}

/// All nine decimals, exactly.
fn dollars(amount: NanoUsd) -> String {
    let sign = if amount.0 < 0 { "-" } else { "" };
    let whole = amount.0.unsigned_abs();
    format!("{sign}{}.{:09}", whole / 1_000_000_000, whole % 1_000_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_be_a_formula_is_text() {
        for (from, to) in [
            ("gpt-4o", "gpt-4o"),
            ("=HYPERLINK(\"x\")", "'=HYPERLINK(\"x\")"),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\t=1", "'\t=1"),
            ("a=1", "a=1"),
            ("", ""),
        ] {
            assert_eq!(text(Some(from)), to);
        }
    }

    #[test]
    fn money_and_moments_are_exact() {
        assert_eq!(dollars(NanoUsd(1_234_567_890)), "1.234567890");
        assert_eq!(dollars(NanoUsd(-5)), "-0.000000005");
        assert_eq!(dollars(NanoUsd(0)), "0.000000000");
        assert_eq!(moment(Timestamp(1_700_000_000_000)), "2023-11-14T22:13:20.000Z");
        assert_eq!(moment(Timestamp(1_700_000_000_007)), "2023-11-14T22:13:20.007Z");
    }
}
