//! What the live view shows, and what keys do to it. Pure: time is an argument.

use std::collections::{BTreeMap, VecDeque};

use serde::Deserialize;

use crate::domain::alert::{AlertStatus, Thresholds};
use crate::domain::call::Outcome;
use crate::domain::ids::{CallId, SessionId};
use crate::domain::session::Status;
use crate::domain::units::Millis;
use crate::domain::wire::{AlertView, CallView, Change, Event, SessionView, Snapshot, Totals};

/// How long a bar of the rate stands for.
pub(super) const BAR: Millis = Millis(5_000);
/// How many bars are kept: twenty minutes.
const BARS: usize = 240;
/// How many calls are kept.
const CALLS: usize = 100;
/// How long a notice stands.
const NOTICE: Millis = Millis(6_000);
/// The longest name of a checkpoint that can be typed.
const LONGEST_PHASE: usize = 60;

/// How the view is connected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Link {
    /// Nothing has come yet.
    Connecting,
    /// Events come.
    Live,
    /// Nothing comes, and why. It is tried again.
    Lost(String),
}

/// What the socket tells.
#[derive(Debug)]
pub(super) enum News {
    /// The whole state.
    Snapshot(Box<Snapshot>),
    /// One change of it.
    Event(Box<Event>),
    /// The connection stands again, and what was missed comes as events.
    Back,
    /// The connection broke.
    Lost(String),
}

/// What one model used.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ModelUse {
    pub(super) model: Option<String>,
    pub(super) requests: u64,
    pub(super) total: u64,
    pub(super) cost_nano_usd: Option<i64>,
    #[serde(default)]
    pub(super) unpriced_requests: u64,
}

/// A window over the rest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Window {
    #[default]
    None,
    Help,
    /// The name of a checkpoint, as far as it is typed.
    Checkpoint(String),
    /// Whether the session is to end.
    Complete,
    /// The sessions to choose from, and which is marked.
    Sessions(usize),
}

/// A key, as far as the view knows keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    Character(char),
    Enter,
    Escape,
    Backspace,
    Up,
    Down,
    /// Control and C.
    Break,
}

/// What a key asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Quit,
    /// A session's status is to be this.
    Set(SessionId, Status),
    /// A moment of a session is to be noted.
    Checkpoint(SessionId, String),
}

/// What is shown.
#[derive(Debug)]
pub(super) struct Model {
    pub(super) link: Link,
    pub(super) version: String,
    pub(super) proxy_url: String,
    sessions: BTreeMap<SessionId, Timed>,
    pub(super) unassigned: Totals,
    /// Newest first.
    calls: VecDeque<CallView>,
    alerts: Vec<AlertView>,
    /// The shares at which budgets alert.
    pub(super) alert_at: Thresholds,
    /// The session that the user chose, instead of the current one.
    chosen: Option<Chosen>,
    pub(super) models: Vec<ModelUse>,
    /// Whether the models' sums are older than the calls.
    pub(super) models_are_old: bool,
    rates: VecDeque<u64>,
    /// The number of the newest bar.
    bar: u64,
    pub(super) window: Window,
    notice: Option<(String, Millis)>,
    /// The server's wall clock less this program's, and when that was read.
    server: (i64, Millis),
}

/// A session, and when it was told of.
#[derive(Debug)]
struct Timed {
    view: SessionView,
    at: Millis,
}

/// What the user looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Chosen {
    Session(SessionId),
    Unassigned,
}

impl Default for Model {
    fn default() -> Self {
        Self {
            link: Link::Connecting,
            version: String::new(),
            proxy_url: String::new(),
            sessions: BTreeMap::new(),
            unassigned: Totals::default(),
            calls: VecDeque::new(),
            alerts: Vec::new(),
            alert_at: Thresholds::default(),
            chosen: None,
            models: Vec::new(),
            models_are_old: false,
            rates: VecDeque::from([0]),
            bar: 0,
            window: Window::None,
            notice: None,
            server: (0, Millis(0)),
        }
    }
}

impl Model {
    /// Takes what the socket told. `now` is the time since the program started.
    pub(super) fn take(&mut self, news: News, now: Millis) {
        self.advance(now);
        match news {
            News::Snapshot(snapshot) => self.begin(*snapshot, now),
            News::Event(event) => self.change(*event, now),
            News::Back => self.link = Link::Live,
            News::Lost(reason) => self.link = Link::Lost(reason),
        }
    }

    fn begin(&mut self, snapshot: Snapshot, now: Millis) {
        let before = self.subject();
        self.link = Link::Live;
        self.server = (snapshot.at, now);
        self.version = snapshot.version;
        self.proxy_url = snapshot.proxy_url;
        self.unassigned = snapshot.unassigned;
        self.sessions = snapshot
            .sessions
            .into_iter()
            .map(|view| (view.id, Timed { view, at: now }))
            .collect();
        self.alerts = snapshot.alerts;
        self.alert_at = snapshot.alert_at_percent;
        self.calls = snapshot.calls.into_iter().take(CALLS).collect();
        self.rates.iter_mut().for_each(|rate| *rate = 0);
        self.recall_rates(snapshot.at);
        self.models_are_old = true;
        if self.subject() != before {
            self.models.clear();
        }
    }

    /// Fills the bars with what the newest calls used before anybody watched.
    fn recall_rates(&mut self, at: i64) {
        let ended = self.calls.iter().filter_map(|call| {
            let ended = call.started_at.saturating_add_unsigned(call.duration_ms?);
            let ago = u64::try_from(at.saturating_sub(ended)).unwrap_or(0);
            Some((usize::try_from(ago / BAR.0).ok()?, call.total?))
        });
        let ended: Vec<(usize, u64)> = ended.filter(|(bar, _)| *bar < BARS).collect();
        for (ago, tokens) in ended {
            while self.rates.len() <= ago {
                self.rates.push_front(0);
            }
            let place = self.rates.len() - 1 - ago;
            self.rates[place] += tokens;
        }
    }

    fn change(&mut self, event: Event, now: Millis) {
        self.server = (event.at, now);
        match event.change {
            Change::Session(view) => self.put_session(view, now),
            Change::CallStarted(call) => self.put_call(call),
            Change::CallFinished { call, totals } => self.finish(call, totals, now),
            Change::CallsGrew { calls } => {
                for grown in calls {
                    self.grow(grown.id, grown.output_so_far);
                }
            }
            Change::CallsMoved {
                calls,
                to,
                unassigned,
                ..
            } => {
                self.unassigned = unassigned;
                for call in &mut self.calls {
                    if calls.contains(&call.id) {
                        call.session_id = to;
                    }
                }
                self.models_are_old = true;
            }
            Change::CallsImported { unassigned, .. } => {
                self.unassigned = unassigned;
                self.models_are_old = true;
            }
            Change::Forecast(foretold) => {
                if let Some(timed) = event.session_id.and_then(|id| self.sessions.get_mut(&id)) {
                    timed.view.burn_rate = foretold.burn_rate;
                    timed.view.forecast = foretold.forecast;
                }
            }
            Change::Alert(alert) => {
                self.alerts.retain(|known| known.id != alert.id);
                if alert.cleared_at.is_none() {
                    self.alerts.insert(0, alert);
                }
            }
            Change::Checkpoint(checkpoint) => {
                let said = format!("checkpoint “{}” noted", checkpoint.phase);
                self.notice(said, now);
            }
            Change::SessionDeleted { .. } => {
                if let Some(id) = event.session_id {
                    self.forget(id);
                }
            }
            Change::AlertsAt { percent } => self.alert_at = percent,
            Change::Limits(_) => {}
        }
    }

    fn forget(&mut self, id: SessionId) {
        self.sessions.remove(&id);
        self.calls.retain(|call| call.session_id != Some(id));
        if self.chosen == Some(Chosen::Session(id)) {
            self.chosen = None;
        }
        self.models.clear();
        self.models_are_old = true;
    }

    fn put_session(&mut self, view: SessionView, now: Millis) {
        if view.current {
            for timed in self.sessions.values_mut() {
                timed.view.current = false;
            }
        }
        let before = self.subject();
        self.sessions.insert(view.id, Timed { view, at: now });
        if self.subject() != before {
            self.models.clear();
            self.models_are_old = true;
        }
    }

    fn put_call(&mut self, call: CallView) {
        match self.calls.iter_mut().find(|known| known.id == call.id) {
            // A start that comes again must not undo an end.
            Some(known) if known.outcome == Outcome::Running => *known = call,
            Some(_) if call.outcome == Outcome::Running => {}
            Some(known) => *known = call,
            None => {
                self.calls.push_front(call);
                self.calls.truncate(CALLS);
            }
        }
    }

    fn grow(&mut self, id: CallId, so_far: u64) {
        let Some(call) = self.calls.iter_mut().find(|call| call.id == id) else {
            return;
        };
        let more = so_far.saturating_sub(call.output_so_far.unwrap_or(0));
        call.output_so_far = Some(so_far);
        self.count(more);
    }

    fn finish(&mut self, call: CallView, totals: Totals, now: Millis) {
        let known = self.calls.iter().find(|known| known.id == call.id);
        let is_new = known.is_none_or(|known| known.outcome == Outcome::Running);
        if is_new {
            let counted = known.and_then(|known| known.output_so_far).unwrap_or(0);
            self.count(call.total.unwrap_or(0).saturating_sub(counted));
        }
        match call.session_id {
            None => self.unassigned = totals,
            Some(id) => {
                if let Some(timed) = self.sessions.get_mut(&id) {
                    // Its clock was read when the session itself was told of, not now.
                    timed.view.elapsed_ms = elapsed(timed, now).0;
                    timed.at = now;
                    timed.view.usage = totals;
                    timed.view.tokens_used = totals.total;
                }
            }
        }
        self.models_are_old |= self.is_of_subject(&call);
        self.put_call(call);
    }

    fn count(&mut self, tokens: u64) {
        if let Some(last) = self.rates.back_mut() {
            *last = last.saturating_add(tokens);
        }
    }

    /// Begins the bars that are due, and ends a notice that has stood for long enough.
    pub(super) fn advance(&mut self, now: Millis) {
        let due = now.0 / BAR.0;
        for _ in 0..due.saturating_sub(self.bar).min(BARS as u64) {
            self.rates.push_back(0);
            if self.rates.len() > BARS {
                self.rates.pop_front();
            }
        }
        self.bar = self.bar.max(due);
        if self.notice.as_ref().is_some_and(|(_, until)| *until <= now) {
            self.notice = None;
        }
    }

    /// Says something for a moment.
    pub(super) fn notice(&mut self, text: String, now: Millis) {
        self.notice = Some((text, Millis(now.0 + NOTICE.0)));
    }

    /// What is said at the moment.
    pub(super) fn said(&self) -> Option<&str> {
        self.notice.as_ref().map(|(text, _)| text.as_str())
    }

    /// What the view is about: what the user chose, else the current session, else what belongs to none.
    pub(super) fn subject(&self) -> Chosen {
        if let Some(chosen) = self.chosen {
            return chosen;
        }
        let current = self.sessions.values().find(|timed| timed.view.current);
        current.map_or(Chosen::Unassigned, |timed| Chosen::Session(timed.view.id))
    }

    /// The session that the view is about, with its clock as it stands at `now`.
    pub(super) fn session(&self, now: Millis) -> Option<SessionView> {
        let Chosen::Session(id) = self.subject() else {
            return None;
        };
        let timed = self.sessions.get(&id)?;
        Some(SessionView {
            elapsed_ms: elapsed(timed, now).0,
            ..timed.view.clone()
        })
    }

    /// The sums of what the view is about.
    pub(super) fn totals(&self, session: Option<&SessionView>) -> Totals {
        session.map_or(self.unassigned, |session| session.usage)
    }

    fn is_of_subject(&self, call: &CallView) -> bool {
        match self.subject() {
            Chosen::Session(id) => call.session_id == Some(id),
            Chosen::Unassigned => call.session_id.is_none(),
        }
    }

    /// The calls of what the view is about: those that run, and then those that have ended, newest first.
    pub(super) fn calls(&self) -> Vec<&CallView> {
        let mut calls: Vec<&CallView> = self
            .calls
            .iter()
            .filter(|call| self.is_of_subject(call))
            .collect();
        calls.sort_by_key(|call| {
            (
                call.outcome != Outcome::Running,
                std::cmp::Reverse(call.started_at),
            )
        });
        calls
    }

    /// How many calls run elsewhere.
    pub(super) fn running_elsewhere(&self) -> usize {
        let running = self.calls.iter().filter(|call| call.outcome == Outcome::Running);
        running.filter(|call| !self.is_of_subject(call)).count()
    }

    /// The alerts that want to be heard.
    pub(super) fn alerts(&self) -> impl Iterator<Item = &AlertView> {
        self.alerts
            .iter()
            .filter(|alert| alert.status == AlertStatus::Active)
    }

    /// Tokens by bar, the newest last.
    pub(super) const fn rates(&self) -> &VecDeque<u64> {
        &self.rates
    }

    /// The sessions to choose from: those that have not ended first, each time the newest first; behind them `None`,
    /// what belongs to none.
    pub(super) fn choices(&self) -> Vec<Option<&SessionView>> {
        let mut sessions: Vec<&SessionView> = self.sessions.values().map(|timed| &timed.view).collect();
        sessions.sort_by_key(|view| {
            (
                view.status == Status::Completed,
                std::cmp::Reverse(view.started_at),
            )
        });
        sessions.into_iter().map(Some).chain([None]).collect()
    }

    /// The server's wall clock at `now`, in UTC epoch milliseconds.
    pub(super) fn server_time(&self, now: Millis) -> i64 {
        let (at, read) = self.server;
        at.saturating_add_unsigned(now.0.saturating_sub(read.0))
    }

    /// Does what a key means.
    pub(super) fn press(&mut self, key: Key, now: Millis) -> Option<Order> {
        if key == Key::Break {
            return Some(Order::Quit);
        }
        match std::mem::take(&mut self.window) {
            Window::None => self.press_plain(key, now),
            Window::Help => None,
            Window::Complete => match (key, self.session(now)) {
                (Key::Character('y' | 'Y'), Some(session)) => Some(Order::Set(session.id, Status::Completed)),
                _ => None,
            },
            Window::Checkpoint(text) => self.type_phase(text, key, now),
            Window::Sessions(marked) => {
                self.choose(marked, key);
                None
            }
        }
    }

    fn press_plain(&mut self, key: Key, now: Millis) -> Option<Order> {
        let session = self.session(now);
        let status = session.as_ref().map(|session| session.status);
        match (key, session) {
            (Key::Character('q'), _) => return Some(Order::Quit),
            (Key::Character('?' | 'h'), _) => self.window = Window::Help,
            (Key::Character('s'), _) => {
                let subject = self.subject();
                let is_subject = |choice: &Option<&SessionView>| match (subject, choice) {
                    (Chosen::Session(id), Some(view)) => view.id == id,
                    (Chosen::Unassigned, None) => true,
                    _ => false,
                };
                let marked = self.choices().iter().position(is_subject);
                self.window = Window::Sessions(marked.unwrap_or(0));
            }
            (Key::Character('p' | 'r' | 'c' | 'e' | ' '), None) => {
                self.notice("no session is chosen: `s` lists them".to_owned(), now);
            }
            (Key::Character('p' | 'r' | 'c' | 'e' | ' '), Some(_)) if status == Some(Status::Completed) => {
                self.notice("the session has ended: `s` lists the others".to_owned(), now);
            }
            (Key::Character('p'), Some(session)) => return Some(Order::Set(session.id, Status::Paused)),
            (Key::Character('r'), Some(session)) => return Some(Order::Set(session.id, Status::Active)),
            (Key::Character(' '), Some(session)) => {
                let other = match session.status {
                    Status::Active => Status::Paused,
                    _ => Status::Active,
                };
                return Some(Order::Set(session.id, other));
            }
            (Key::Character('c'), Some(_)) => self.window = Window::Checkpoint(String::new()),
            (Key::Character('e'), Some(_)) => self.window = Window::Complete,
            _ => {}
        }
        None
    }

    fn type_phase(&mut self, mut text: String, key: Key, now: Millis) -> Option<Order> {
        match key {
            Key::Escape => return None,
            Key::Enter if !text.trim().is_empty() => {
                let session = self.session(now)?;
                return Some(Order::Checkpoint(session.id, text.trim().to_owned()));
            }
            Key::Backspace => drop(text.pop()),
            Key::Character(character) if !character.is_control() && text.chars().count() < LONGEST_PHASE => {
                text.push(character);
            }
            _ => {}
        }
        self.window = Window::Checkpoint(text);
        None
    }

    fn choose(&mut self, marked: usize, key: Key) {
        let choices = self.choices();
        let last = choices.len().saturating_sub(1);
        let marked = marked.min(last);
        match key {
            Key::Up | Key::Character('k') => self.window = Window::Sessions(marked.saturating_sub(1)),
            Key::Down | Key::Character('j' | 's') => self.window = Window::Sessions((marked + 1).min(last)),
            Key::Enter => {
                let chosen = choices[marked].map_or(Chosen::Unassigned, |view| Chosen::Session(view.id));
                if self.subject() != chosen {
                    self.models.clear();
                    self.models_are_old = true;
                }
                self.chosen = Some(chosen);
            }
            Key::Escape | Key::Character('q') => {}
            _ => self.window = Window::Sessions(marked),
        }
    }
}

fn elapsed(timed: &Timed, now: Millis) -> Millis {
    let since = match timed.view.status {
        Status::Active => now.0.saturating_sub(timed.at.0),
        Status::Paused | Status::Completed => 0,
    };
    let elapsed = timed.view.elapsed_ms + since;
    Millis(
        timed
            .view
            .duration
            .map_or(elapsed, |planned| elapsed.min(planned)),
    )
}
