//! The alarms of a session's threads: each conversation, and each agent inside it, is watched by itself.
//!
//! Twenty agents at work make twenty times the calls of one, and of twenty sizes: taken together they look like bursts and
//! jumps that none of them makes.

use std::hash::{DefaultHasher, Hash, Hasher};

use super::super::CallUse;
use super::{Burst, Bursts, Loop, Loops, Signal, SizeJump, SizeJumps};
use crate::domain::units::Millis;

/// Threads that are watched; the one that was silent for the longest goes first.
const MOST: usize = 64;
/// What a client calls a thread is cut here: it tells apart all the same.
const LONGEST_NAME: usize = 128;

/// A thread of calls: a conversation, or an agent inside it. Calls whose client names none are one thread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Thread(u64);

impl Thread {
    /// The one of these names; an empty name is none.
    #[must_use]
    pub fn of(conversation: Option<&str>, agent: Option<&str>) -> Self {
        let named = [conversation, agent].map(|name| Self::name(name.unwrap_or_default()));
        if named == ["", ""] {
            return Self::default();
        }
        let mut hasher = DefaultHasher::new();
        named.hash(&mut hasher);
        Self(hasher.finish())
    }

    /// A name, as far as it is kept.
    #[must_use]
    pub fn name(name: &str) -> &str {
        let end = name.char_indices().nth(LONGEST_NAME).map(|(end, _)| end);
        end.and_then(|end| name.get(..end)).unwrap_or(name)
    }
}

/// What changed about a thread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Alarms {
    /// Its calls come much faster than usual, or no longer do.
    pub burst: Option<Signal<Burst>>,
    /// A call of it was much larger than usual, or that is long ago.
    pub jump: Option<Signal<SizeJump>>,
    /// It repeats itself, or no longer does.
    pub repeats: Option<Signal<Loop>>,
}

impl Alarms {
    /// Whether one of them begins.
    #[must_use]
    pub const fn raises(&self) -> bool {
        matches!(self.burst, Some(Signal::Raise(_)))
            || matches!(self.jump, Some(Signal::Raise(_)))
            || matches!(self.repeats, Some(Signal::Raise(_)))
    }

    const fn are_none(&self) -> bool {
        self.burst.is_none() && self.jump.is_none() && self.repeats.is_none()
    }
}

/// Watches the threads of one session. `N` is what the user of this calls them; it is kept while an alarm stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Threads<N> {
    known: Vec<Watch<N>>,
}

#[derive(Clone, Debug, PartialEq)]
struct Watch<N> {
    thread: Thread,
    spoke_at: Millis,
    name: Option<N>,
    bursts: Bursts,
    sizes: SizeJumps,
    loops: Loops,
}

impl<N> Default for Threads<N> {
    fn default() -> Self {
        Self { known: Vec::new() }
    }
}

impl<N> Watch<N> {
    fn new(thread: Thread) -> Self {
        Self {
            thread,
            spoke_at: Millis(0),
            name: None,
            bursts: Bursts::default(),
            sizes: SizeJumps::default(),
            loops: Loops::default(),
        }
    }
}

impl<N: Clone> Threads<N> {
    /// Takes a finished call of a thread; `name` is asked where an alarm is raised. What changed, and the thread's name.
    pub fn observe(
        &mut self,
        thread: Thread,
        call: CallUse,
        at: Millis,
        name: impl FnOnce() -> N,
    ) -> Option<(N, Alarms)> {
        let watch = self.at(thread, at);
        let alarms = Alarms {
            burst: watch.bursts.observe(at),
            jump: watch.sizes.observe(call.total, at),
            repeats: watch.loops.observe(call, at),
        };
        if alarms.are_none() {
            return None;
        }
        Some((watch.name.get_or_insert_with(name).clone(), alarms))
    }

    /// Takes the time: what is over, and of which threads.
    pub fn advance(&mut self, at: Millis) -> Vec<(N, Alarms)> {
        let changed = self.known.iter_mut().filter_map(|watch| {
            let alarms = Alarms {
                burst: watch.bursts.advance(at),
                jump: watch.sizes.advance(at),
                repeats: watch.loops.advance(at),
            };
            // What stood before the start and was not taken up is over in silence.
            let name = watch.name.as_ref().filter(|_| !alarms.are_none())?;
            Some((name.clone(), alarms))
        });
        changed.collect()
    }

    /// Takes up a call of before the program's start: what it told was told then.
    pub fn recall(&mut self, thread: Thread, call: CallUse, at: Millis) {
        let watch = self.at(thread, at);
        watch.bursts.observe(at);
        watch.sizes.observe(call.total, at);
    }

    /// Takes up a burst that was raised before the program's start.
    pub fn resume_burst(&mut self, thread: Thread, at: Millis, name: N) {
        self.named(thread, at, name).bursts.resume(at);
    }

    /// The same of a jump.
    pub fn resume_jump(&mut self, thread: Thread, at: Millis, name: N) {
        self.named(thread, at, name).sizes.resume(at);
    }

    /// The same of a loop.
    pub fn resume_loop(&mut self, thread: Thread, at: Millis, name: N) {
        self.named(thread, at, name).loops.resume(at);
    }

    fn named(&mut self, thread: Thread, at: Millis, name: N) -> &mut Watch<N> {
        let watch = self.at(thread, at);
        watch.name = Some(name);
        watch
    }

    /// The watch of a thread that speaks.
    fn at(&mut self, thread: Thread, at: Millis) -> &mut Watch<N> {
        let index = self.place_of(thread);
        let watch = &mut self.known[index];
        watch.spoke_at = watch.spoke_at.max(at);
        watch
    }

    /// Where a thread is watched; a new one takes the place of the one that was silent for the longest, if need be.
    fn place_of(&mut self, thread: Thread) -> usize {
        if let Some(index) = self.known.iter().position(|watch| watch.thread == thread) {
            return index;
        }
        if self.known.len() < MOST {
            self.known.push(Watch::new(thread));
            return self.known.len() - 1;
        }
        // One whose alarm stands has still to tell that it is over.
        let places = self.known.iter().enumerate();
        let silent = places.min_by_key(|(_, watch)| (watch.stands(), watch.spoke_at));
        let index = silent.map_or(0, |(index, _)| index);
        self.known[index] = Watch::new(thread);
        index
    }
}

impl<N> Watch<N> {
    const fn stands(&self) -> bool {
        self.bursts.stands() || self.sizes.stands() || self.loops.stands()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::units::Tokens;

    fn call(fresh: u64) -> CallUse {
        CallUse {
            total: Tokens(fresh + 100_000),
            fresh: Tokens(fresh),
            generated: Tokens(300),
            ..CallUse::default()
        }
    }

    fn agent(name: &str) -> Thread {
        Thread::of(Some("work"), Some(name))
    }

    #[test]
    fn a_thread_is_its_conversation_and_agent() {
        let named = [
            Thread::of(None, None),
            Thread::of(Some("a"), None),
            Thread::of(None, Some("a")),
            Thread::of(Some("a"), Some("b")),
            Thread::of(Some("ab"), None),
        ];
        for (index, thread) in named.iter().enumerate() {
            assert!(!named[..index].contains(thread), "{index}");
        }
        assert_eq!(Thread::of(Some(""), Some("")), Thread::of(None, None));
        let long = "ü".repeat(LONGEST_NAME);
        assert_eq!(
            Thread::of(Some(&format!("{long}x")), None),
            Thread::of(Some(&long), None)
        );
    }

    #[test]
    fn a_fleet_makes_no_burst_and_one_that_runs_away_in_it_does() {
        let mut threads = Threads::default();
        let mut raised = Vec::new();
        for second in 0..3_600_u64 {
            let name = format!("agent {}", second % 20);
            raised.extend(threads.observe(
                agent(&name),
                call(1_000 + second * 7_919 % 3_000),
                Millis(second * 1_000),
                || name.clone(),
            ));
        }
        assert_eq!(raised, [], "three calls a minute of each of twenty");
        for call_number in 0..60 {
            let at = Millis(3_600_000 + call_number * 500);
            raised.extend(
                threads.observe(agent("agent 7"), call(1_000 + call_number * 101), at, || {
                    "agent 7".to_owned()
                }),
            );
        }
        let [(name, alarms)] = &raised[..] else {
            panic!("{raised:?}")
        };
        assert_eq!(name, "agent 7");
        assert!(matches!(alarms.burst, Some(Signal::Raise(_))) && alarms.repeats.is_none());
        let over = threads.advance(Millis(4_300_000));
        assert_eq!(over.len(), 1);
        assert_eq!(
            (over[0].0.as_str(), over[0].1.burst),
            ("agent 7", Some(Signal::Clear))
        );
    }

    #[test]
    fn what_is_kept_of_threads_is_bounded() {
        let signals_after = |others: u64| {
            let mut threads = Threads::default();
            for at in 0..24 {
                assert_eq!(
                    threads.observe(agent("a"), call(2_000), Millis(at * 10_000), || ()),
                    None
                );
            }
            for other in 0..others {
                threads.observe(agent(&other.to_string()), call(2_000), Millis(235_000), || ());
            }
            assert!(threads.known.len() <= MOST);
            threads
                .observe(agent("a"), call(2_000), Millis(240_000), || ())
                .is_some()
        };
        assert!(signals_after(63));
        assert!(
            !signals_after(64),
            "the one that was silent for the longest is forgotten"
        );
    }

    #[test]
    fn what_stood_before_the_start_is_told_to_be_over_and_not_told_again() {
        let mut threads = Threads::default();
        for at in 0..40 {
            threads.recall(agent("a"), call(at), Millis(at * 500));
        }
        assert_eq!(
            threads.advance(Millis(1_000_000)),
            [],
            "what was recalled is not told"
        );
        threads.resume_burst(agent("a"), Millis(1_000_000), "a");
        threads.resume_loop(agent("a"), Millis(1_000_000), "a");
        assert_eq!(threads.advance(Millis(1_100_000)), []);
        let over = threads.advance(Millis(1_600_000));
        let clear = Some(Signal::Clear);
        assert_eq!(over.len(), 1);
        assert_eq!((over[0].1.burst, over[0].1.jump), (clear, None));
        assert_eq!(over[0].1.repeats, Some(Signal::Clear));
    }
}
