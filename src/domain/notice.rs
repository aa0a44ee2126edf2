//! Notifications: who is to be told of which alerts, and in which words. Carrying them there is done elsewhere.

use std::collections::HashSet;
use std::fmt;

use serde_json::{Value, json};

use super::alert::{AlertStatus, MOST_STANDING, Rule, Severity};
use super::call::named;
use super::ids::AlertId;
use super::wire::AlertView;

named! {
    /// How a target is spoken to.
    TargetKind {
        /// JSON, signed where there is a secret.
        Webhook = "webhook",
        /// An incoming webhook of Slack's, or of what speaks like it.
        Slack = "slack",
        /// A webhook of Discord's.
        Discord = "discord",
        /// A notification on this machine's desktop.
        Desktop = "desktop",
    }
}

/// What is never shown or logged.
#[derive(Clone, PartialEq, Eq)]
pub struct Hidden(pub Box<str>);

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("•••")
    }
}

/// Who is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Stands for it in the API.
    pub name: Box<str>,
    /// How it is spoken to.
    pub kind: TargetKind,
    /// Where it is: an address of `http` or `https`, which is a secret itself; `None` for the desktop.
    pub url: Option<Hidden>,
    /// What messages are signed with.
    pub secret: Option<Hidden>,
    /// What matters less is not told.
    pub severity: Severity,
    /// Only these rules; none of them is all.
    pub rules: Vec<Rule>,
}

impl Target {
    /// Whether it wants to hear of an alert.
    #[must_use]
    pub fn wants(&self, alert: &AlertView) -> bool {
        let matters = alert.severity as u8 >= self.severity as u8;
        matters && (self.rules.is_empty() || self.rules.contains(&alert.rule))
    }

    /// Where it is, as far as that is no secret: its scheme and host.
    #[must_use]
    pub fn place(&self) -> Option<String> {
        let Hidden(url) = self.url.as_ref()?;
        let (scheme, rest) = url.split_once("://")?;
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        Some(format!("{scheme}://{host}"))
    }
}

named! {
    /// Why a notification is sent.
    Occasion {
        /// An alert was raised, or its snooze is over.
        Raised = "alert.raised",
        /// One got worse.
        Worsened = "alert.worsened",
        /// One that was told of is over.
        Cleared = "alert.cleared",
        /// The user tries whether notifications arrive.
        Test = "test",
    }
}

/// What is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Why.
    pub occasion: Occasion,
    /// When; UTC epoch milliseconds.
    pub at: i64,
    /// Of what; `None` for a test.
    pub alert: Option<AlertView>,
}

/// The most characters of a message to Discord.
const DISCORD: usize = 2_000;

impl Notice {
    /// Whether a target of that kind is told: a person who reads messages need not be told that something is over.
    #[must_use]
    pub const fn is_for(&self, kind: TargetKind) -> bool {
        !matches!(self.occasion, Occasion::Cleared) || matches!(kind, TargetKind::Webhook)
    }

    /// A title in few words.
    #[must_use]
    pub fn title(&self) -> &'static str {
        match (self.occasion, self.severity()) {
            (Occasion::Test, _) => "Moonlock: a test",
            (Occasion::Cleared, _) => "Moonlock: over",
            (_, Severity::Critical) => "🔴 Moonlock",
            (_, Severity::Warning) => "🟡 Moonlock",
            (_, Severity::Info) => "🔵 Moonlock",
        }
    }

    /// How much it matters.
    #[must_use]
    pub fn severity(&self) -> Severity {
        self.alert.as_ref().map_or(Severity::Info, |alert| alert.severity)
    }

    /// What happened, as a sentence or two.
    #[must_use]
    pub fn text(&self) -> &str {
        let alert = self.alert.as_ref();
        alert.map_or("Notifications arrive here.", |alert| &alert.message)
    }

    /// The same on every attempt, so that who receives it twice can tell.
    #[must_use]
    pub fn id(&self) -> String {
        match &self.alert {
            Some(alert) => format!("{}:{}:{}", alert.id, self.occasion.name(), self.at),
            None => format!("{}:{}", self.occasion.name(), self.at),
        }
    }

    /// What is sent to a target of that kind.
    #[must_use]
    pub fn body(&self, kind: TargetKind) -> Value {
        match kind {
            TargetKind::Webhook | TargetKind::Desktop => json!({
                "id": self.id(),
                "type": self.occasion.name(),
                "at": self.at,
                "message": self.text(),
                "alert": self.alert,
            }),
            TargetKind::Slack => json!({ "text": format!("*{}*: {}", self.title(), for_slack(self.text())) }),
            TargetKind::Discord => {
                let text = format!("**{}**: {}", self.title(), self.text());
                let content: String = text.chars().take(DISCORD).collect();
                json!({ "content": content, "allowed_mentions": { "parse": [] } })
            }
        }
    }
}

/// Slack takes three characters for its own marks.
fn for_slack(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// Makes notices of what becomes of alerts: one when an alert is raised, one each time it gets worse or wakes from a
/// snooze, and one when an alert that was told of is over. What the user does to it is no news.
#[derive(Clone, Debug, Default)]
pub struct Watch {
    told: HashSet<AlertId>,
    snoozed: HashSet<AlertId>,
}

impl Watch {
    /// What is to be told of an alert that has changed at that moment.
    pub fn notice(&mut self, alert: &AlertView, at: i64) -> Option<Notice> {
        let woke = self.snoozed.remove(&alert.id);
        let occasion = match alert.status {
            AlertStatus::Active if alert.worsened_at == Some(at) => Occasion::Worsened,
            AlertStatus::Active if alert.raised_at == at || woke => Occasion::Raised,
            AlertStatus::Cleared if self.told.remove(&alert.id) => Occasion::Cleared,
            AlertStatus::Snoozed => {
                keep(&mut self.snoozed, alert.id);
                return None;
            }
            _ => return None,
        };
        if occasion != Occasion::Cleared {
            keep(&mut self.told, alert.id);
        }
        Some(Notice {
            occasion,
            at,
            alert: Some(alert.clone()),
        })
    }
}

/// No more alerts stand at once than are kept, but for a while after some are over.
fn keep(ids: &mut HashSet<AlertId>, id: AlertId) {
    if ids.len() >= 4 * MOST_STANDING {
        ids.clear();
    }
    ids.insert(id);
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::domain::alert::Scope;

    fn alert(severity: Severity) -> AlertView {
        AlertView {
            id: AlertId::from_uuid(Uuid::from_u128(1)),
            rule: Rule::BudgetCost,
            scope: Scope::Moonlock,
            severity,
            level: Some(80),
            status: AlertStatus::Active,
            message: "80 % of <a & b> are used.".into(),
            raised_at: 10,
            worsened_at: None,
            cleared_at: None,
            acknowledged_at: None,
            snoozed_until: None,
        }
    }

    #[test]
    fn an_alert_is_told_when_it_begins_gets_worse_wakes_and_is_over() {
        let mut watch = Watch::default();
        let mut alert = alert(Severity::Warning);
        let mut told = |alert: &AlertView, at| watch.notice(alert, at).map(|notice| notice.occasion);
        assert_eq!(told(&alert, 10), Some(Occasion::Raised));
        alert.status = AlertStatus::Acknowledged;
        assert_eq!(told(&alert, 11), None);
        alert.status = AlertStatus::Active;
        assert_eq!(told(&alert, 12), None, "taken back by the user");
        alert.worsened_at = Some(13);
        assert_eq!(told(&alert, 13), Some(Occasion::Worsened));
        alert.status = AlertStatus::Snoozed;
        assert_eq!(told(&alert, 14), None);
        alert.status = AlertStatus::Active;
        assert_eq!(told(&alert, 15), Some(Occasion::Raised), "awake");
        alert.status = AlertStatus::Cleared;
        assert_eq!(told(&alert, 16), Some(Occasion::Cleared));
        assert_eq!(told(&alert, 17), None);
        alert.status = AlertStatus::Muted;
        assert_eq!((told(&alert, 10), told(&alert, 13)), (None, None));
    }

    #[test]
    fn a_target_hears_what_it_asked_for() {
        let target = |severity, rules: &[Rule]| Target {
            name: "t".into(),
            kind: TargetKind::Webhook,
            url: Some(Hidden("https://hooks.example/T0/secret?x".into())),
            secret: None,
            severity,
            rules: rules.to_vec(),
        };
        for (severity, rules, wanted) in [
            (Severity::Info, &[][..], true),
            (Severity::Warning, &[Rule::BudgetCost], true),
            (Severity::Critical, &[], false),
            (Severity::Info, &[Rule::StoreSlow], false),
        ] {
            let target = target(severity, rules);
            assert_eq!(
                target.wants(&alert(Severity::Warning)),
                wanted,
                "{severity:?} {rules:?}"
            );
        }
        let target = target(Severity::Info, &[]);
        assert_eq!(target.place().as_deref(), Some("https://hooks.example"));
        assert!(!format!("{target:?}").contains("secret?x"), "{target:?}");
    }

    #[test]
    fn each_kind_is_spoken_to_in_its_words() {
        let notice = Watch::default().notice(&alert(Severity::Critical), 10).unwrap();
        let webhook = notice.body(TargetKind::Webhook);
        assert_eq!(webhook["type"], "alert.raised");
        assert_eq!(webhook["alert"]["rule"], "budget.cost");
        assert_eq!(webhook["id"], format!("{}:alert.raised:10", Uuid::from_u128(1)));
        assert_eq!(
            notice.body(TargetKind::Slack)["text"],
            "*🔴 Moonlock*: 80 % of &lt;a &amp; b&gt; are used."
        );
        let discord = notice.body(TargetKind::Discord);
        assert_eq!(discord["content"], "**🔴 Moonlock**: 80 % of <a & b> are used.");
        assert_eq!(discord["allowed_mentions"]["parse"], json!([]));
        let over = Notice {
            occasion: Occasion::Cleared,
            ..notice
        };
        let told =
            [TargetKind::Webhook, TargetKind::Slack, TargetKind::Desktop].map(|kind| over.is_for(kind));
        assert_eq!(told, [true, false, false]);
    }
}
