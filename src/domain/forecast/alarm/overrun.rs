//! A budget that will probably not last, said once and early.

use super::super::Chance;
use super::Signal;

/// A watch begins at this probability, …
const WATCH: f64 = 0.8;
/// … an alarm at this, …
const ALARM: f64 = 0.9;
/// … and both end below this: between them nothing changes, so that nothing flickers.
const CLEAR: f64 = 0.6;
/// Fewer calls say too little.
const FEWEST_CALLS: u64 = 5;

/// How bad it looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// The budget will do.
    #[default]
    Fine,
    /// It will probably not.
    Watch,
    /// It will almost certainly not.
    Likely,
    /// It is used up.
    Exceeded,
}

/// An overrun that is foretold, or has come.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Overrun {
    /// How bad it looks.
    pub level: Level,
    /// How likely it is.
    pub chance: Chance,
}

/// Watches one budget of one session. On recorded sessions the alarm comes true nearly nine times of ten.
///
/// There is no waiting whether it lasts: that was measured, and lets more overruns slip than it saves false alarms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OverrunWatch {
    level: Level,
}

impl OverrunWatch {
    /// Takes the probability that the budget is exceeded by the end, after so many calls; it is certain where it is
    /// exceeded already. A level is raised once; a new budget needs a new watch.
    pub fn observe(&mut self, chance: Chance, calls: u64) -> Option<Signal<Overrun>> {
        let seen = match chance.get() {
            _ if chance == Chance::CERTAIN && calls > 0 => Level::Exceeded,
            _ if calls < FEWEST_CALLS => Level::Fine,
            likely if likely >= ALARM => Level::Likely,
            likely if likely >= WATCH => Level::Watch,
            _ => Level::Fine,
        };
        if seen > self.level {
            self.level = seen;
            return Some(Signal::Raise(Overrun { level: seen, chance }));
        }
        // A budget that is used up stays so.
        if chance.get() < CLEAR && self.level != Level::Fine {
            self.level = Level::Fine;
            return Some(Signal::Clear);
        }
        None
    }

    /// A watch that had raised this level before the program's start.
    #[must_use]
    pub const fn resumed(level: Level) -> Self {
        Self { level }
    }

    /// How bad it looks.
    #[must_use]
    pub const fn level(&self) -> Level {
        self.level
    }
}
