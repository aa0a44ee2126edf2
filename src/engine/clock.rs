//! The one place that reads the machine's clocks.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::domain::session::clock::{BootId, Nanos, Reading};
use crate::domain::units::Timestamp;

/// Reads all clocks at one instant. Cheap to copy.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    boot_id: BootId,
}

impl Clock {
    /// Finds out which boot of the machine this is.
    #[must_use]
    pub fn of_machine() -> Self {
        Self { boot_id: boot_id() }
    }

    /// The clocks now.
    #[must_use]
    pub fn now(&self) -> Reading {
        let (boot, mono) = boot_and_mono();
        Reading {
            boot,
            mono,
            wall: wall(),
            boot_id: self.boot_id,
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the clock")]
fn wall() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

#[cfg(any(target_os = "linux", target_vendor = "apple"))]
fn read(clock: rustix::time::ClockId) -> Nanos {
    let time = rustix::time::clock_gettime(clock);
    Nanos(
        time.tv_sec
            .saturating_mul(1_000_000_000)
            .saturating_add(time.tv_nsec),
    )
}

/// Time since the start of the program, by the standard library's clock.
#[cfg(not(target_os = "linux"))]
fn since_start() -> Nanos {
    use std::sync::LazyLock;
    use std::time::Instant;
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    Nanos(i64::try_from(START.elapsed().as_nanos()).unwrap_or(i64::MAX))
}

#[cfg(target_os = "linux")]
fn boot_and_mono() -> (Nanos, Nanos) {
    use rustix::time::ClockId;
    (read(ClockId::Boottime), read(ClockId::Monotonic))
}

/// Apple's `CLOCK_MONOTONIC` counts through sleep (`clock_gettime(3)`); the standard library's clock is
/// `CLOCK_UPTIME_RAW`, which does not.
#[cfg(target_vendor = "apple")]
fn boot_and_mono() -> (Nanos, Nanos) {
    (read(rustix::time::ClockId::Monotonic), since_start())
}

/// Elsewhere the standard library's clock serves for both. Where it counts through sleep (Windows), a sleep is seen as
/// Moonlock standing still, which pauses a session just the same.
#[cfg(not(any(target_os = "linux", target_vendor = "apple")))]
fn boot_and_mono() -> (Nanos, Nanos) {
    let nanos = since_start();
    (nanos, nanos)
}

#[cfg(target_os = "linux")]
fn boot_id() -> BootId {
    let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    // Without a boot id every start counts as a boot: a running session is then paused, never miscounted.
    BootId(
        uuid::Uuid::parse_str(text.trim())
            .unwrap_or_else(|_| uuid::Uuid::now_v7())
            .as_u128(),
    )
}

/// Elsewhere every start counts as a boot: whether Moonlock or the machine was away, a session is paused all the same.
#[cfg(not(target_os = "linux"))]
fn boot_id() -> BootId {
    BootId(uuid::Uuid::now_v7().as_u128())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clocks_go_forward_within_one_boot() {
        let clock = Clock::of_machine();
        let (first, second) = (clock.now(), clock.now());
        assert!(second.boot >= first.boot && second.mono >= first.mono);
        assert!(first.wall > Timestamp(1_700_000_000_000));
        assert_eq!(clock.boot_id, Clock::of_machine().boot_id, "one boot has one id");
    }
}
