//! Draws the live view. Pure: the same model gives the same picture.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Gauge, Paragraph, Row, Sparkline, Table, Wrap};

use super::model::{BAR, Link, Model, Window};
use crate::cli::print::{UNKNOWN, clock, count, dollars, percent, plain, short, shortened};
use crate::cli::session_text::{cached, cost, face, mark};
use crate::domain::alert::text::Odds;
use crate::domain::alert::{Severity, Thresholds};
use crate::domain::budget::{Counts, permille};
use crate::domain::call::Outcome;
use crate::domain::session::Status;
use crate::domain::units::{Millis, NanoUsd};
use crate::domain::wire::{BudgetForecast, CallView, SessionView, Totals};

/// From this width on, models and alerts stand beside the calls.
const WIDE: u16 = 120;
/// The least that something can be seen on.
const LEAST: (u16, u16) = (40, 10);

/// Whether there is colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    Colour,
    /// `NO_COLOR` is set: what colour says is said by signs and weight as well.
    Plain,
}

impl Look {
    const fn colour(self, colour: Color) -> Style {
        match self {
            Self::Colour => Style::new().fg(colour),
            Self::Plain => Style::new(),
        }
    }

    const fn good(self) -> Style {
        self.colour(Color::Green)
    }

    const fn warning(self) -> Style {
        self.colour(Color::Yellow)
    }

    const fn bad(self) -> Style {
        self.colour(Color::Red).add_modifier(Modifier::BOLD)
    }

    const fn calm(self) -> Style {
        self.colour(Color::Cyan)
    }
}

const FAINT: Style = Style::new().add_modifier(Modifier::DIM);
const STRONG: Style = Style::new().add_modifier(Modifier::BOLD);

/// Draws all of it.
pub(super) fn draw(frame: &mut Frame<'_>, model: &Model, now: Millis, look: Look) {
    let area = frame.area();
    if area.width < LEAST.0 || area.height < LEAST.1 {
        frame.render_widget(
            Paragraph::new("moonlock top needs 40x10 or more").wrap(Wrap::default()),
            area,
        );
        return;
    }
    let session = model.session(now);
    let budgets = session.as_ref().map(|session| budgets(session, &model.alert_at));
    let budgets = budgets.unwrap_or_default();
    let summary = 3 + u16::try_from(budgets.len()).unwrap_or(0);
    let rows = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(summary),
        Constraint::Length(if area.height < 30 { 4 } else { 8 }),
        Constraint::Min(3),
        Constraint::Length(1),
    ]);
    let [head, middle, rate, below, foot] = rows.areas(area);
    draw_head(frame, head, model, session.as_ref(), look);
    draw_summary(frame, middle, model, session.as_ref(), &budgets, look);
    draw_rate(frame, rate, model, look);
    if area.width >= WIDE {
        let [left, right] = Layout::horizontal([Constraint::Fill(3), Constraint::Fill(2)])
            .spacing(3)
            .areas(below);
        draw_calls(frame, left, model, now, look);
        let [models, alerts] = Layout::vertical([Constraint::Fill(1), Constraint::Fill(1)]).areas(right);
        draw_models(frame, models, model);
        draw_alerts(frame, alerts, model, look);
    } else {
        let alerts = u16::try_from(model.alerts().count()).unwrap_or(0).min(3);
        let [calls, models, alerts] = Layout::vertical([
            Constraint::Fill(3),
            Constraint::Fill(2),
            Constraint::Length(if alerts > 0 { alerts + 1 } else { 0 }),
        ])
        .areas(below);
        draw_calls(frame, calls, model, now, look);
        draw_models(frame, models, model);
        draw_alerts(frame, alerts, model, look);
    }
    draw_foot(frame, foot, model, look);
    draw_window(frame, area, model, session.as_ref(), look);
}

fn draw_head(frame: &mut Frame<'_>, area: Rect, model: &Model, session: Option<&SessionView>, look: Look) {
    let mut left = match session {
        Some(session) => {
            let style = match session.status {
                Status::Active => look.good(),
                Status::Paused => look.warning(),
                Status::Completed => FAINT,
            };
            let name = shortened(&session.name, usize::from(area.width) / 3);
            vec![
                Span::styled(format!("{} ", mark(session.status)), style),
                Span::styled(name, STRONG),
                Span::styled(format!("  {}  ", session.status.name()), style),
                Span::styled(face(session), STRONG),
            ]
        }
        None => vec![Span::styled("○ Unassigned", STRONG)],
    };
    let (link, style) = match &model.link {
        Link::Connecting => ("connecting".to_owned(), look.warning()),
        Link::Live => ("live".to_owned(), look.good()),
        Link::Lost(reason) => (format!("not connected: {}", plain(reason)), look.bad()),
    };
    left.push(Span::raw("  "));
    let taken: usize = left.iter().map(Span::width).sum();
    let room = usize::from(area.width).saturating_sub(taken);
    let right = shortened(&link, room);
    left.push(Span::raw(
        " ".repeat(room.saturating_sub(Span::raw(&right).width())),
    ));
    left.push(Span::styled(right, style));
    frame.render_widget(Line::from(left), area);
}

/// A budget, as a bar.
struct Budget {
    /// In whole per cent.
    percent: u64,
    /// How much it matters that so much is used.
    severity: Option<Severity>,
    label: String,
}

fn budgets(session: &SessionView, alert_at: &Thresholds) -> Vec<Budget> {
    let used = match session.budget_counts {
        Counts::All => session.usage.total,
        Counts::Fresh => session.usage.total.saturating_sub(session.usage.cache_read),
    };
    let forecast = session.forecast.as_deref();
    let tokens = session.token_budget.map(|limit| {
        let label = format!("{} of {} tokens", count(used), count(limit));
        let foretold = forecast.and_then(|forecast| forecast.token_budget);
        budget(used, limit, &label, foretold, alert_at)
    });
    let money = session.cost_budget_nano_usd.map(|limit| {
        let spent = session.usage.cost_nano_usd.unwrap_or(0);
        let label = format!("{} of {}", dollars(NanoUsd(spent)), dollars(NanoUsd(limit)));
        let whole = |nanos: i64| u64::try_from(nanos).unwrap_or(0);
        let foretold = forecast.and_then(|forecast| forecast.cost_budget);
        budget(whole(spent), whole(limit), &label, foretold, alert_at)
    });
    tokens.into_iter().chain(money).collect()
}

fn budget(
    used: u64,
    limit: u64,
    label: &str,
    foretold: Option<BudgetForecast>,
    alert_at: &Thresholds,
) -> Budget {
    let percent = percent(used, limit).unwrap_or(100);
    let foretold = foretold
        .filter(|_| used < limit)
        .map_or_else(String::new, |foretold| {
            format!(", {} likely to be used up", Odds(foretold.overrun_percent))
        });
    let passed = alert_at.of_budget(permille(used, limit), None);
    Budget {
        percent,
        severity: passed.map(|passed| passed.severity),
        label: format!("{percent} %  {label}{foretold}"),
    }
}

fn draw_summary(
    frame: &mut Frame<'_>,
    area: Rect,
    model: &Model,
    session: Option<&SessionView>,
    budgets: &[Budget],
    look: Look,
) {
    let totals = model.totals(session);
    let mut lines = vec![tokens_line(&totals), cost_line(&totals, session)];
    lines.push(forecast_line(session));
    let text = u16::try_from(lines.len()).unwrap_or(0);
    let mut heights = vec![Constraint::Length(text)];
    heights.extend(budgets.iter().map(|_| Constraint::Length(1)));
    let areas = Layout::vertical(heights).split(area);
    frame.render_widget(Paragraph::new(lines), areas[0]);
    for (budget, area) in budgets.iter().zip(areas.iter().skip(1)) {
        let style = match budget.severity {
            None | Some(Severity::Info) => look.good(),
            Some(Severity::Warning) => look.warning(),
            Some(Severity::Critical) => look.bad(),
        };
        let ratio = f64::from(u32::try_from(budget.percent.min(100)).unwrap_or(100)) / 100.0;
        let gauge = Gauge::default()
            .gauge_style(style)
            .ratio(ratio)
            .use_unicode(true)
            .label(budget.label.clone());
        frame.render_widget(gauge, *area);
    }
}

fn named(name: &str) -> Span<'static> {
    Span::styled(format!("{name:<9}"), FAINT)
}

fn tokens_line(totals: &Totals) -> Line<'static> {
    let parts = [
        ("in", totals.input),
        ("cached", totals.cache_read),
        ("written", totals.cache_write),
        ("out", totals.output),
    ];
    let parts = parts.map(|(name, tokens)| format!("{name} {}", short(tokens)));
    Line::from(vec![
        named("tokens"),
        Span::styled(count(totals.total), STRONG),
        Span::raw(format!("  {}", parts.join("  "))),
    ])
}

fn cost_line(totals: &Totals, session: Option<&SessionView>) -> Line<'static> {
    let mut text = format!("  {} calls", count(totals.requests));
    if let Some(share) = cached(totals) {
        text.push_str(&format!("  {share} % cached"));
    }
    let rate = session.and_then(|session| session.burn_rate);
    if let Some(rate) = rate {
        text.push_str(&format!("  {} tok/min", short(rate.tokens_per_minute)));
        if let Some(cost) = rate.nano_usd_per_minute {
            text.push_str(&format!("  {}/min", dollars(NanoUsd(cost))));
        }
    }
    Line::from(vec![
        named("cost"),
        Span::styled(cost(totals), STRONG),
        Span::raw(text),
    ])
}

fn forecast_line(session: Option<&SessionView>) -> Line<'static> {
    let forecast = session.and_then(|session| session.forecast.as_deref());
    let Some(forecast) = forecast else {
        return Line::from(vec![
            named("forecast"),
            Span::styled("not enough is known", FAINT),
        ]);
    };
    let band = forecast.total.band_80;
    let money = forecast.cost_nano_usd.map_or_else(String::new, |cost| {
        let nanos = |nanos| dollars(NanoUsd(i64::try_from(nanos).unwrap_or(i64::MAX)));
        format!(", {} to {}", nanos(cost.band_80.low), nanos(cost.band_80.high))
    });
    let text = format!(
        "{} to {} tokens{money} at the end (80 %)",
        short(band.low),
        short(band.high)
    );
    Line::from(vec![named("forecast"), Span::raw(text)])
}

/// A heading over a part of the view.
fn headed(text: String) -> Block<'static> {
    Block::new().title(Span::styled(text, FAINT))
}

fn draw_rate(frame: &mut Frame<'_>, area: Rect, model: &Model, look: Look) {
    let width = usize::from(area.width);
    let rates = model.rates();
    let skip = rates.len().saturating_sub(width);
    let mut shown: Vec<u64> = vec![0; width.saturating_sub(rates.len())];
    shown.extend(rates.iter().skip(skip));
    let most = shown.iter().copied().max().unwrap_or(0);
    let seconds = BAR.0 / 1_000;
    let minutes = width as u64 * seconds / 60;
    let block = headed(format!(
        "tokens, {seconds} s a bar, {minutes} min; at most {} in one",
        short(most)
    ));
    frame.render_widget(
        Sparkline::default().block(block).data(&shown).style(look.calm()),
        area,
    );
}

fn draw_calls(frame: &mut Frame<'_>, area: Rect, model: &Model, now: Millis, look: Look) {
    let calls = model.calls();
    let running = calls
        .iter()
        .filter(|call| call.outcome == Outcome::Running)
        .count();
    let elsewhere = match model.running_elsewhere() {
        0 => String::new(),
        calls => format!(", {calls} elsewhere"),
    };
    let block = headed(format!("calls: {running} running{elsewhere}"));
    let at = model.server_time(now);
    let rows = calls.iter().map(|call| call_row(call, at, look));
    let widths = [
        Constraint::Length(1),
        Constraint::Length(7),
        Constraint::Fill(3),
        Constraint::Fill(2),
        Constraint::Length(8),
        Constraint::Length(9),
    ];
    frame.render_widget(Table::new(rows, widths).block(block), area);
}

fn call_row(call: &CallView, at: i64, look: Look) -> Row<'static> {
    let is_running = call.outcome == Outcome::Running;
    let (sign, style) = match call.outcome {
        Outcome::Running => ("▸", look.calm()),
        Outcome::Complete => ("✓", FAINT),
        Outcome::ClientAborted | Outcome::Interrupted => ("○", look.warning()),
        Outcome::UpstreamError | Outcome::StreamError => ("✗", look.bad()),
    };
    let lasted = match call.duration_ms {
        Some(duration) => duration,
        None => u64::try_from(at.saturating_sub(call.started_at)).unwrap_or(0),
    };
    let tokens = match (is_running, call.output_so_far, call.total) {
        (true, Some(so_far), _) => format!("~{}", short(so_far)),
        (true, None, _) => "…".to_owned(),
        (false, _, Some(total)) => short(total),
        (false, _, None) => UNKNOWN.to_owned(),
    };
    let cost = call.cost_nano_usd.map(|cost| dollars(NanoUsd(cost)));
    let cost = cost.unwrap_or_else(|| {
        if is_running {
            String::new()
        } else {
            UNKNOWN.to_owned()
        }
    });
    let text = |text: &Option<String>| plain(text.as_deref().unwrap_or(UNKNOWN)).into_owned();
    let row = Row::new([
        Line::styled(sign, style),
        Line::raw(clock(Millis(lasted))).right_aligned(),
        Line::raw(text(&call.model)),
        Line::raw(text(&call.client)),
        Line::raw(tokens).right_aligned(),
        Line::raw(cost).right_aligned(),
    ]);
    if is_running { row.style(STRONG) } else { row }
}

fn draw_models(frame: &mut Frame<'_>, area: Rect, model: &Model) {
    let rows = model.models.iter().map(|used| {
        let cost = match used.cost_nano_usd {
            Some(cost) if used.unpriced_requests > 0 => format!("≥ {}", dollars(NanoUsd(cost))),
            Some(cost) => dollars(NanoUsd(cost)),
            None => UNKNOWN.to_owned(),
        };
        Row::new([
            Line::raw(plain(used.model.as_deref().unwrap_or(UNKNOWN)).into_owned()),
            Line::raw(format!("{} calls", count(used.requests))).right_aligned(),
            Line::raw(short(used.total)).right_aligned(),
            Line::raw(cost).right_aligned(),
        ])
    });
    let widths = [
        Constraint::Fill(1),
        Constraint::Length(12),
        Constraint::Length(8),
        Constraint::Length(10),
    ];
    let table = Table::new(rows, widths).block(headed("models".to_owned()));
    frame.render_widget(table, area);
}

fn draw_alerts(frame: &mut Frame<'_>, area: Rect, model: &Model, look: Look) {
    if area.height == 0 {
        return;
    }
    let lines: Vec<Line<'_>> = model
        .alerts()
        .map(|alert| {
            let (sign, style) = match alert.severity {
                Severity::Critical => ("!! ", look.bad()),
                Severity::Warning => ("!  ", look.warning()),
                Severity::Info => ("i  ", look.calm()),
            };
            Line::from(vec![Span::styled(sign, style), Span::raw(plain(&alert.message))])
        })
        .collect();
    let heading = match lines.len() {
        0 => "alerts: none".to_owned(),
        alerts => format!("alerts: {alerts}"),
    };
    let mut text = Paragraph::new(lines).block(headed(heading));
    if area.width < WIDE && area.height > 4 {
        text = text.wrap(Wrap { trim: true });
    }
    frame.render_widget(text, area);
}

fn draw_foot(frame: &mut Frame<'_>, area: Rect, model: &Model, look: Look) {
    if let Some(said) = model.said() {
        let style = look.warning().add_modifier(Modifier::BOLD);
        frame.render_widget(Line::styled(plain(said).into_owned(), style), area);
        return;
    }
    let keys = [
        ("p", "ause"),
        ("r", "esume"),
        ("c", "heckpoint"),
        ("e", "nd"),
        ("s", "essions"),
        ("?", " help"),
        ("q", "uit"),
    ];
    let spans = keys.into_iter().flat_map(|(key, rest)| {
        [
            Span::styled(key, STRONG.add_modifier(Modifier::UNDERLINED)),
            Span::styled(format!("{rest}  "), FAINT),
        ]
    });
    frame.render_widget(Line::from_iter(spans), area);
}

const HELP: &str = "\
p, r      pause, resume the session's clock
space     the one or the other
c         note a checkpoint
e         end the session
s         choose a session
?         this
q, ^C     quit

▸ runs  ✓ complete  ○ broken off  ✗ failed
~ so many tokens so far, estimated
≥ some calls have no known price";

fn draw_window(frame: &mut Frame<'_>, area: Rect, model: &Model, session: Option<&SessionView>, look: Look) {
    let name = session.map_or_else(String::new, |session| shortened(&session.name, 30));
    let (title, lines): (String, Vec<Line<'_>>) = match &model.window {
        Window::None => return,
        Window::Help => (
            format!("moonlock {}", model.version),
            HELP.lines().map(Line::raw).collect(),
        ),
        Window::Checkpoint(text) => (
            "checkpoint".to_owned(),
            vec![
                Line::from(vec![Span::raw(text.clone()), Span::styled("▏", look.calm())]),
                Line::styled("enter: note it   esc: leave it", FAINT),
            ],
        ),
        Window::Complete => (
            "end".to_owned(),
            vec![
                Line::raw(format!("End “{name}”? It cannot go on afterwards.")),
                Line::styled("y: end it   any other key: leave it", FAINT),
            ],
        ),
        Window::Sessions(marked) => {
            let lines = model.choices().into_iter().enumerate().map(|(at, choice)| {
                let text = match choice {
                    Some(view) => format!(
                        "{} {}{}",
                        mark(view.status),
                        shortened(&view.name, 44),
                        if view.current { "  (current)" } else { "" }
                    ),
                    None => "○ Unassigned".to_owned(),
                };
                let style = if at == *marked {
                    Style::new().add_modifier(Modifier::REVERSED)
                } else {
                    Style::new()
                };
                Line::styled(text, style)
            });
            // The marked one is in view.
            let room = usize::from(area.height).saturating_sub(6).max(1);
            let lines = lines.skip((marked + 1).saturating_sub(room)).take(room).collect();
            ("sessions: enter chooses".to_owned(), lines)
        }
    };
    let widest = lines.iter().map(Line::width).max().unwrap_or(0);
    let width = u16::try_from(widest + 4)
        .unwrap_or(u16::MAX)
        .max(34)
        .min(area.width);
    let height = u16::try_from(lines.len() + 2)
        .unwrap_or(u16::MAX)
        .min(area.height);
    let window = Rect {
        x: area.x + (area.width - width) / 2,
        y: area.y + (area.height - height) / 2,
        width,
        height,
    };
    frame.render_widget(Clear, window);
    let block = Block::bordered()
        .title(format!(" {title} "))
        .padding(ratatui::widgets::Padding::horizontal(1));
    frame.render_widget(Paragraph::new(lines).block(block), window);
}
