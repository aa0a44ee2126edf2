//! A reply's head into windows.

use std::borrow::Cow;

use super::names::{
    AZURE_PAUSE, CLAIMS, FAMILIES, FIELDS, Family, Field, Order, STATUS, kind_of, may_tell, period_of,
};
use super::{Kind, Role, Standing, Window, values};
use crate::domain::units::{Millis, Timestamp};

/// More windows than any provider names in one reply.
const MOST_WINDOWS: usize = 24;
/// Longer than any window's name.
const LONGEST_NAME: usize = 48;
/// Longer than any value that is understood.
const LONGEST_VALUE: usize = 256;

const DECIDES: &str = "anthropic-ratelimit-unified-representative-claim";
const FALLBACK: &str = "anthropic-ratelimit-unified-fallback";
/// The IETF's fields since draft 7: lists of items with parameters.
const STRUCTURED: [&str; 2] = ["ratelimit", "ratelimit-policy"];

/// Reads the windows that a reply's head tells of. Names are in lower case, as HTTP libraries give them.
///
/// `at` is when it arrived: durations are counted from there. What makes no sense is left out; where no header tells
/// of a window, nothing is allocated.
#[must_use]
pub fn read<'a>(
    headers: impl Iterator<Item = (&'a str, &'a [u8])>,
    status: u16,
    at: Timestamp,
) -> Vec<Window> {
    let mut found = Found {
        windows: Vec::new(),
        decides: None,
        at,
    };
    for (name, value) in headers.filter(|(name, _)| may_tell(name)) {
        if let Some(value) = std::str::from_utf8(value).ok().map(str::trim)
            && (1..=LONGEST_VALUE).contains(&value.len())
        {
            found.header(name, value, status);
        }
    }
    found.finish()
}

struct Found {
    windows: Vec<Window>,
    /// The window that the provider says decides.
    decides: Option<Box<str>>,
    at: Timestamp,
}

impl Found {
    fn header(&mut self, name: &str, value: &str, status: u16) {
        if STRUCTURED.contains(&name) {
            self.structured(value);
        } else if name == DECIDES {
            let own = CLAIMS.iter().find(|(claim, _)| *claim == value);
            self.decides = Some(own.map_or(value, |(_, name)| name).into());
        } else if name == FALLBACK {
            self.say("fallback", Kind::Plan, |window| window.standing = standing(value));
        } else if name.starts_with("retry-after") || name == AZURE_PAUSE {
            self.pause(name, value, status);
        } else if let Some(family) = FAMILIES.iter().find(|family| name.starts_with(family.prefix)) {
            let rest = name.strip_prefix(family.prefix).unwrap_or_default();
            if let Some((window, field)) = split(rest, family) {
                self.field(window, family, field, value);
            }
        }
    }

    fn field(&mut self, name: &str, family: &Family, field: Field, value: &str) {
        let name = if name.is_empty() { family.unnamed } else { name };
        let full = match family.named {
            "" => Cow::Borrowed(name),
            before => Cow::Owned([before, name].concat()),
        };
        let at = self.at;
        self.say(&full, family.kind, |window| match field {
            // Drafts of RateLimit-Limit put the policies behind it.
            Field::Limit => window.limit = value.split(", ").next().and_then(values::count).or(window.limit),
            Field::Remaining => window.remaining = values::count(value).or(window.remaining),
            Field::Reset => window.resets_at = values::moment(value, at).or(window.resets_at),
            Field::UsedPercent => window.said_used = values::percent(value),
            Field::Utilization => window.said_used = values::fraction(value),
            Field::PeriodSeconds => window.period = values::period(value, Millis(1_000)),
            Field::PeriodMinutes => window.period = values::period(value, Millis(60_000)),
            Field::Standing => window.standing = standing(value),
        });
    }

    /// Says something of the window of a name, which is added if it is new.
    fn say(&mut self, name: &str, family: Kind, say: impl FnOnce(&mut Window)) {
        if let Some(window) = self.windows.iter_mut().find(|window| &*window.name == name) {
            return say(window);
        }
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_. ".contains(&byte);
        let is_name = (1..=LONGEST_NAME).contains(&name.len()) && name.bytes().all(plain);
        if !is_name || self.windows.len() == MOST_WINDOWS {
            return;
        }
        let mut window = Window {
            name: name.into(),
            kind: kind_of(name, family),
            period: period_of(name),
            limit: None,
            remaining: None,
            said_used: None,
            standing: None,
            role: Role::Unnamed,
            resets_at: None,
        };
        say(&mut window);
        self.windows.push(window);
    }

    /// When to come back. Only a refusal means it: some providers send it with every reply.
    fn pause(&mut self, name: &str, value: &str, status: u16) {
        if !matches!(status, 429 | 503 | 529) {
            return;
        }
        let in_millis = name.ends_with("-ms");
        let until = if in_millis {
            values::pause_ms(value, self.at)
        } else {
            values::moment(value, self.at)
        };
        let Some(until) = until else { return };
        self.say("retry-after", Kind::Pause, |window| {
            window.standing = Some(Standing::Rejected);
            // Milliseconds say it better.
            if in_millis || window.resets_at.is_none() {
                window.resets_at = Some(until);
            }
        });
    }

    /// `"api";r=489;t=189` and `"fixed window";"api";q=500;w=300`; and, as drafts before had it,
    /// `limit=100, remaining=50, reset=5` and `100;w=60`.
    fn structured(&mut self, value: &str) {
        for item in value.split(',') {
            let mut name = "requests";
            let mut said: Vec<(Field, &str)> = Vec::new();
            for part in item.split(';').map(str::trim) {
                match part.split_once('=') {
                    Some(("q" | "limit", value)) => said.push((Field::Limit, value)),
                    Some(("r" | "remaining", value)) => said.push((Field::Remaining, value)),
                    Some(("t" | "reset", value)) => said.push((Field::Reset, value)),
                    Some(("w", value)) => said.push((Field::PeriodSeconds, value)),
                    Some(_) => {}
                    None if values::count(part).is_some() => said.push((Field::Limit, part)),
                    // Of several names the last is the policy's: the one that both fields have.
                    None => name = part.trim_matches('"'),
                }
            }
            let at = self.at;
            if said.is_empty() {
                continue;
            }
            self.say(name, Kind::Requests, |window| {
                for (field, value) in said {
                    match field {
                        Field::Limit => window.limit = values::count(value),
                        Field::Remaining => window.remaining = values::count(value),
                        Field::PeriodSeconds => window.period = values::period(value, Millis(1_000)),
                        _ => window.resets_at = values::moment(value, at),
                    }
                }
            });
        }
    }

    fn finish(mut self) -> Vec<Window> {
        // A plan without such a window sends it as a row of zeros.
        self.windows.retain(|window| {
            window.period != Some(Millis(0))
                && (window.limit.is_some()
                    || window.remaining.is_some()
                    || window.said_used.is_some()
                    || window.standing.is_some()
                    || window.resets_at.is_some())
        });
        for window in &mut self.windows {
            if self.decides.as_deref() == Some(&*window.name) {
                window.role = Role::Deciding;
            }
        }
        self.windows
    }
}

/// Splits what stands behind a family's prefix into the window's name and the field.
fn split<'a>(rest: &'a str, family: &Family) -> Option<(&'a str, Field)> {
    let status = (STATUS, Field::Standing);
    FIELDS.iter().copied().chain([status]).find_map(|(text, field)| {
        let name = match family.order {
            Order::FieldFirst => {
                let behind = rest.strip_prefix(text)?;
                if behind.is_empty() {
                    behind
                } else {
                    behind.strip_prefix('-')?
                }
            }
            Order::FieldLast => {
                let before = rest.strip_suffix(text)?;
                if before.is_empty() {
                    before
                } else {
                    before.strip_suffix('-')?
                }
            }
        };
        Some((name, field))
    })
}

fn standing(value: &str) -> Option<Standing> {
    match value {
        "allowed" | "available" => Some(Standing::Allowed),
        "allowed_warning" => Some(Standing::Warning),
        "rejected" | "rate_limited" | "blocked" => Some(Standing::Rejected),
        _ => None,
    }
}
