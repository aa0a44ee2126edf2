use proptest::prelude::*;

use super::*;

/// 2026-11-22T12:00:00Z.
const NOW: Timestamp = Timestamp(1_795_348_800_000);
const SECOND: i64 = 1_000;

fn read_text(status: u16, head: &str) -> Vec<Window> {
    let fields: Vec<(String, &str)> = head
        .lines()
        .filter_map(|line| line.trim().split_once(": "))
        .map(|(name, value)| (name.to_lowercase(), value))
        .collect();
    let headers = fields
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_bytes()));
    let mut windows = read(headers, status, NOW);
    windows.sort_by(|one, other| one.name.cmp(&other.name));
    windows
}

/// A window in one line: name kind left/limit used% period status reset, each only where it is known.
fn line(window: &Window) -> String {
    let mut text = format!("{} {}", window.name, window.kind.name());
    let or_dash = |number: Option<u64>| number.map_or("-".to_owned(), |number| number.to_string());
    if window.limit.or(window.remaining).is_some() {
        text += &format!(" {}/{}", or_dash(window.remaining), or_dash(window.limit));
    }
    if let Some(Permille(used)) = window.said_used {
        text += &format!(" used={used}");
    }
    if let Some(Millis(period)) = window.period {
        text += &format!(" each={}s", period / 1000);
    }
    if let Some(standing) = window.standing {
        text += &format!(" {}", standing.name());
    }
    if window.role == Role::Deciding {
        text += " decides";
    }
    if let Some(at) = window.resets_at {
        text += &format!(" in={}ms", at.0 - NOW.0);
    }
    text
}

#[track_caller]
fn check(status: u16, head: &str, expected: &[&str]) {
    let found: Vec<String> = read_text(status, head).iter().map(line).collect();
    assert_eq!(found, expected, "{head}");
}

#[test]
fn openai_and_what_is_like_it_count_requests_and_tokens() {
    check(
        200,
        "x-ratelimit-limit-requests: 5000
         x-ratelimit-limit-tokens: 800000
         x-ratelimit-remaining-requests: 4999
         x-ratelimit-remaining-tokens: 799800
         x-ratelimit-reset-requests: 12ms
         x-ratelimit-reset-tokens: 6m0s
         x-ratelimit-limit-input-images: 50000
         x-ratelimit-remaining-input-images: 49999
         x-ratelimit-reset-input-images: 1ms
         x-ratelimit-remaining-tokens_usage_based: 7",
        &[
            "input-images images 49999/50000 in=1ms",
            "requests requests 4999/5000 in=12ms",
            "tokens tokens 799800/800000 in=360000ms",
            "tokens_usage_based tokens 7/-",
        ],
    );
    // Groq.
    check(
        429,
        "retry-after: 2
         x-ratelimit-limit-requests: 14400
         x-ratelimit-limit-tokens: 18000
         x-ratelimit-remaining-requests: 14370
         x-ratelimit-remaining-tokens: 17997
         x-ratelimit-reset-requests: 2m59.56s
         x-ratelimit-reset-tokens: 7.66s",
        &[
            "requests requests 14370/14400 in=179560ms",
            "retry-after pause rejected in=2000ms",
            "tokens tokens 17997/18000 in=7660ms",
        ],
    );
    // xAI says no more than what is left.
    check(
        200,
        "x-ratelimit-limit-requests: 480
         x-ratelimit-remaining-requests: 479",
        &["requests requests 479/480"],
    );
}

#[test]
fn azure_and_github_count_seconds() {
    check(
        429,
        "x-ratelimit-remaining-requests: 0
         x-ratelimit-remaining-tokens: 119
         x-ratelimit-reset-requests: 10
         x-ms-region: East US
         retry-after: 1
         retry-after-ms: 750",
        &[
            "requests requests 0/- in=10000ms",
            "retry-after pause rejected in=750ms",
            "tokens tokens 119/-",
        ],
    );
    check(
        429,
        "x-ms-retry-after-ms: 1500",
        &["retry-after pause rejected in=1500ms"],
    );
    check(
        200,
        "x-ratelimit-limit-requests: 15
         x-ratelimit-remaining-requests: 14
         x-ratelimit-renewalperiod-requests: 60
         x-ratelimit-renewalperiod-tokens: 60
         x-ratelimit-remaining-tokens: 149000",
        &[
            "requests requests 14/15 each=60s",
            "tokens tokens 149000/- each=60s",
        ],
    );
}

#[test]
fn periods_are_read_from_names() {
    // Mistral, before and now.
    check(
        200,
        "x-ratelimitbysize-limit-minute: 500000
         x-ratelimitbysize-remaining-minute: 499985
         x-ratelimitbysize-limit-month: 1000000000
         x-ratelimitbysize-remaining-month: 999998000
         ratelimitbysize-limit: 500000
         ratelimitbysize-remaining: 499985
         ratelimitbysize-reset: 34
         ratelimitbysize-query-cost: 15",
        &[
            "minute tokens 499985/500000 each=60s",
            "month tokens 999998000/1000000000 each=2592000s",
            "tokens tokens 499985/500000 in=34000ms",
        ],
    );
    check(
        200,
        "x-ratelimit-limit-tokens-minute: 50000
         x-ratelimit-remaining-tokens-minute: 49000
         x-ratelimit-limit-req-minute: 60
         x-ratelimit-remaining-req-minute: 59
         x-ratelimit-tokens-query-cost: 1000",
        &[
            "req-minute requests 59/60 each=60s",
            "tokens-minute tokens 49000/50000 each=60s",
        ],
    );
    // Cerebras.
    check(
        200,
        "x-ratelimit-limit-requests-day: 1000
         x-ratelimit-remaining-requests-day: 999
         x-ratelimit-reset-requests-day: 33011.382867
         x-ratelimit-limit-tokens-minute: 60000
         x-ratelimit-remaining-tokens-minute: 59955
         x-ratelimit-reset-tokens-minute: 11.382867",
        &[
            "requests-day requests 999/1000 each=86400s in=33011382ms",
            "tokens-minute tokens 59955/60000 each=60s in=11382ms",
        ],
    );
    // Cohere's trial keys.
    check(
        200,
        "x-trial-endpoint-call-limit: 20
         x-trial-endpoint-call-remaining: 18
         x-endpoint-monthly-call-limit: 1000",
        &["month requests -/1000 each=2592000s", "trial requests 18/20"],
    );
}

#[test]
fn windows_without_a_name_count_requests() {
    // OpenRouter.
    check(
        429,
        "X-RateLimit-Limit: 20
         X-RateLimit-Remaining: 0
         X-RateLimit-Reset: 1795348860000",
        &["requests requests 0/20 in=60000ms"],
    );
    // GitHub.
    check(
        200,
        "x-ratelimit-limit: 5000
         x-ratelimit-remaining: 4999
         x-ratelimit-used: 1
         x-ratelimit-reset: 1795352400
         x-ratelimit-resource: core",
        &["requests requests 4999/5000 in=3600000ms"],
    );
    // Together.
    check(
        200,
        "x-ratelimit-limit: 10
         x-ratelimit-remaining: 9
         x-ratelimit-reset: 1
         x-tokenlimit-limit: 3000
         x-tokenlimit-remaining: 2990",
        &["requests requests 9/10 in=1000ms", "tokens tokens 2990/3000"],
    );
    // Fireworks.
    check(
        200,
        "x-ratelimit-limit-tokens-prompt: 60000
         x-ratelimit-remaining-tokens-prompt: 59000
         x-ratelimit-limit-tokens-generated: 6000
         x-ratelimit-over-limit: no",
        &[
            "tokens-generated output_tokens -/6000",
            "tokens-prompt input_tokens 59000/60000",
        ],
    );
}

#[test]
fn the_ietfs_fields_are_read_in_every_draft() {
    // Hugging Face.
    check(
        200,
        "RateLimit-Policy: \"fixed window\";\"api\";q=500;w=300
         RateLimit: \"api\";r=489;t=189",
        &["api requests 489/500 each=300s in=189000ms"],
    );
    check(
        200,
        "RateLimit: limit=100, remaining=50, reset=5
         RateLimit-Policy: 100;w=60",
        &["requests requests 50/100 each=60s in=5000ms"],
    );
    check(
        200,
        "RateLimit-Limit: 100, 100;w=60
         RateLimit-Remaining: 50
         RateLimit-Reset: 30",
        &["requests requests 50/100 in=30000ms"],
    );
}

#[test]
fn anthropic_counts_for_keys_and_for_plans() {
    check(
        200,
        "anthropic-ratelimit-requests-limit: 4000
         anthropic-ratelimit-requests-remaining: 3999
         anthropic-ratelimit-requests-reset: 2026-11-22T12:00:01Z
         anthropic-ratelimit-input-tokens-limit: 2000000
         anthropic-ratelimit-input-tokens-remaining: 1999000
         anthropic-ratelimit-input-tokens-reset: 2026-11-22T12:00:00.5Z
         anthropic-ratelimit-output-tokens-remaining: 400000
         anthropic-ratelimit-tokens-limit: 2400000
         anthropic-priority-input-tokens-remaining: 5
         retry-after: 31",
        &[
            "input-tokens input_tokens 1999000/2000000 in=500ms",
            "output-tokens output_tokens 400000/-",
            "priority-input-tokens input_tokens 5/-",
            "requests requests 3999/4000 in=1000ms",
            "tokens tokens -/2400000",
        ],
    );
    check(
        200,
        "anthropic-ratelimit-unified-status: allowed_warning
         anthropic-ratelimit-unified-reset: 1795359600
         anthropic-ratelimit-unified-representative-claim: five_hour
         anthropic-ratelimit-unified-fallback: available
         anthropic-ratelimit-unified-fallback-percentage: 0.5
         anthropic-ratelimit-unified-5h-status: allowed_warning
         anthropic-ratelimit-unified-5h-reset: 1795359600
         anthropic-ratelimit-unified-5h-utilization: 0.8371
         anthropic-ratelimit-unified-5h-surpassed-threshold: 0.75
         anthropic-ratelimit-unified-7d-status: allowed
         anthropic-ratelimit-unified-7d-reset: 1795780800
         anthropic-ratelimit-unified-7d-utilization: 0.29
         anthropic-ratelimit-unified-7d_opus-utilization: 1.02
         anthropic-ratelimit-unified-overage-status: rejected
         anthropic-ratelimit-unified-overage-disabled-reason: org_level_disabled
         anthropic-organization-id: 00000000-0000-0000-0000-000000000000",
        &[
            "5h plan used=837 each=18000s warning decides in=10800000ms",
            "7d plan used=290 each=604800s allowed in=432000000ms",
            "7d_opus plan used=1020 each=604800s",
            "fallback plan allowed",
            "overage plan rejected",
            "unified plan warning in=10800000ms",
        ],
    );
}

#[test]
fn codex_counts_shares_of_a_plan() {
    check(
        200,
        "x-codex-primary-used-percent: 42.5
         x-codex-primary-window-minutes: 300
         x-codex-primary-reset-after-seconds: 3600
         x-codex-secondary-used-percent: 7
         x-codex-secondary-window-minutes: 10080
         x-codex-secondary-reset-at: 1795953600
         x-codex-primary-over-secondary-limit-percent: 10
         x-codex-bengalfox-primary-used-percent: 0
         x-codex-bengalfox-primary-window-minutes: 0
         x-codex-bengalfox-limit-name: a name
         x-codex-active-limit: codex_bengalfox
         x-codex-credits-has-credits: True",
        &[
            "primary plan used=425 each=18000s in=3600000ms",
            "secondary plan used=70 each=604800s in=604800000ms",
        ],
    );
}

#[test]
fn only_a_refusal_says_when_to_come_back() {
    let head = "retry-after: Sun, 22 Nov 2026 12:00:30 GMT";
    check(503, head, &["retry-after pause rejected in=30000ms"]);
    check(529, head, &["retry-after pause rejected in=30000ms"]);
    check(200, head, &[]);
    check(500, head, &[]);
}

#[test]
fn what_makes_no_sense_is_left_out() {
    check(
        429,
        "x-ratelimit-limit-requests: -1
         x-ratelimit-remaining-requests: many
         x-ratelimit-limit-tokens: 99999999999999999999
         x-ratelimit-reset-tokens: 5 parsecs
         anthropic-ratelimit-requests-reset: 9999-12-31T00:00:00Z
         anthropic-ratelimit-unified-5h-utilization: NaN
         x-ratelimit-reset-req: 292471208677y
         retry-after: soon
         retry-after-ms: -5
         x-ratelimit: 4
         x-ratelimit-reset: 0x10",
        &[],
    );
    let long = format!("x-ratelimit-limit-{}: 5", "a".repeat(60));
    check(200, &long, &[]);
    let many: String = (0..100).map(|n| format!("x-ratelimit-limit-w{n}: 5\n")).collect();
    assert_eq!(read_text(200, &many).len(), 24);
}

#[test]
fn a_share_is_said_or_worked_out() {
    let windows = read_text(
        200,
        "x-ratelimit-limit-requests: 3
         x-ratelimit-remaining-requests: 1
         x-ratelimit-limit-tokens: 10
         x-ratelimit-remaining-tokens: 20
         x-ratelimit-limit-images: 0",
    );
    let used: Vec<_> = windows.iter().map(Window::used).collect();
    assert_eq!(used, [None, Some(Permille(666)), Some(Permille(0))]);
}

fn seen(provider: &str, credential: u64, at: Timestamp, head: &str) -> Observation {
    Observation {
        provider: provider.into(),
        credential: Some(Fingerprint(credential)),
        at,
        windows: read_text(200, head),
    }
}

fn later(seconds: i64) -> Timestamp {
    Timestamp(NOW.0 + seconds * SECOND)
}

#[test]
fn two_credentials_have_windows_of_their_own() {
    let mut limits = Limits::default();
    limits.take(seen("openai", 1, NOW, "x-ratelimit-remaining-tokens: 10"));
    limits.take(seen("openai", 2, later(1), "x-ratelimit-remaining-tokens: 20"));
    let views = limits.views(later(2));
    let left: Vec<_> = views
        .iter()
        .map(|view| (view.credential.as_deref(), view.windows[0].remaining))
        .collect();
    assert_eq!(
        left,
        [
            (Some("0000000000000002"), Some(20)),
            (Some("0000000000000001"), Some(10))
        ]
    );
}

#[test]
fn what_was_said_later_stands_whichever_call_ends_first() {
    let mut limits = Limits::default();
    limits.take(seen("openai", 1, later(5), "x-ratelimit-remaining-tokens: 10"));
    limits.take(seen(
        "openai",
        1,
        NOW,
        "x-ratelimit-remaining-tokens: 99\nx-ratelimit-remaining-requests: 3",
    ));
    let windows = &limits.views(later(5))[0].windows;
    let left: Vec<_> = windows
        .iter()
        .map(|window| (&*window.name, window.remaining))
        .collect();
    assert_eq!(left, [("requests", Some(3)), ("tokens", Some(10))]);
}

#[test]
fn a_window_that_has_begun_anew_is_not_shown_as_it_was() {
    let mut limits = Limits::default();
    limits.take(seen(
        "openai",
        1,
        NOW,
        "x-ratelimit-remaining-tokens: 0
         x-ratelimit-limit-tokens: 100
         x-ratelimit-reset-tokens: 30s",
    ));
    let at = |seconds| limits.views(later(seconds))[0].windows[0].clone();
    assert_eq!((at(29).stale, at(29).remaining), (false, Some(0)));
    assert_eq!(at(29).used_permille, Some(1000));
    let reset = at(30);
    assert_eq!(
        (reset.stale, reset.remaining, reset.used_permille),
        (true, None, None)
    );
    assert_eq!(reset.limit, Some(100));
    assert!(limits.views(later(30 + 25 * 3600)).is_empty());
}

#[test]
fn a_pause_that_is_over_is_not_shown() {
    let mut limits = Limits::default();
    limits.take(Observation {
        provider: "groq".into(),
        credential: None,
        at: NOW,
        windows: read_text(429, "retry-after: 5"),
    });
    assert_eq!(limits.views(later(4))[0].windows[0].kind, Kind::Pause);
    assert!(limits.views(later(5)).is_empty());
}

#[test]
fn changes_are_told_once_and_only_where_something_is_different() {
    let mut limits = Limits::default();
    let head = "x-ratelimit-remaining-tokens: 10";
    limits.take(seen("openai", 1, NOW, head));
    limits.take(seen("openai", 1, later(1), head));
    assert_eq!(limits.changes(later(1)).len(), 1);
    limits.take(seen("openai", 1, later(2), head));
    assert!(!limits.has_changes(), "the same again");
    limits.take(seen("openai", 1, later(3), "x-ratelimit-remaining-tokens: 9"));
    assert_eq!(limits.changes(later(3)).len(), 1);
    assert!(limits.changes(later(3)).is_empty());
}

#[test]
fn credentials_that_are_renewed_leave_no_trail() {
    let mut limits = Limits::default();
    let head = "anthropic-ratelimit-unified-7d-reset: 1795780800";
    for hour in 0..100 {
        limits.take(seen("anthropic", hour, later(hour.cast_signed()), head));
    }
    limits.take(seen("openai", 1, NOW, head));
    let views = limits.views(later(100));
    assert_eq!(views.len(), 9);
    assert_eq!(
        views[0].credential.as_deref(),
        Some("0000000000000063"),
        "the newest"
    );
    let gone = limits.changes(later(100));
    let forgotten = gone.iter().filter(|set| set.windows.is_empty()).count();
    assert_eq!((gone.len(), forgotten), (101, 92));
}

#[test]
fn what_was_kept_is_taken_up() {
    let mut limits = Limits::default();
    limits.take(seen(
        "openai",
        1,
        NOW,
        "x-ratelimit-remaining-tokens: 10\nx-ratelimit-remaining-a: 1",
    ));
    let kept = limits.changes(NOW);
    let restored = Limits::restore(kept);
    assert_eq!(restored.views(NOW), limits.views(NOW));
    assert!(!restored.has_changes());
}

#[test]
fn fingerprints_are_text_and_keys_are_not() {
    let fingerprint = Fingerprint(0xab);
    assert_eq!(fingerprint.to_string(), "00000000000000ab");
    assert_eq!(fingerprint.to_string().parse(), Ok(fingerprint));
    let shown = format!("{:?}", FingerprintKey::new([7; 32]));
    assert!(!shown.contains('7'), "{shown}");
}

proptest! {
    #[test]
    fn no_head_makes_it_panic_or_grow(
        fields in prop::collection::vec(
            (
                prop_oneof![
                    Just("x-ratelimit-".to_owned()), Just("anthropic-ratelimit-".to_owned()),
                    Just("anthropic-ratelimit-unified-".to_owned()), Just("x-codex-".to_owned()),
                    Just("ratelimit".to_owned()), Just("retry-after".to_owned()), Just(String::new()),
                ],
                "(limit|remaining|reset|utilization|used-percent|window-minutes|status|[a-z-]{0,6}){0,3}",
                prop_oneof![
                    any::<Vec<u8>>(),
                    "[0-9.]{0,30}(ms|s|m|h|%|Z)?".prop_map(String::into_bytes),
                    "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{0,12}Z".prop_map(String::into_bytes),
                    "[a-z\";=,0-9 -]{0,40}".prop_map(String::into_bytes),
                ],
            ),
            0..40,
        ),
        status in any::<u16>(),
        at in any::<i64>(),
    ) {
        let fields: Vec<(String, Vec<u8>)> =
            fields.into_iter().map(|(start, rest, value)| (start + &rest, value)).collect();
        let headers = fields.iter().map(|(name, value)| (name.as_str(), value.as_slice()));
        let windows = read(headers, status, Timestamp(at));
        prop_assert!(windows.len() <= 24);
        let mut limits = Limits::default();
        for window in &windows {
            prop_assert!(window.name.len() <= 48);
            let _used = window.used();
        }
        limits.take(Observation { provider: "p".into(), credential: None, at: Timestamp(at), windows });
        let _shown = limits.views(Timestamp(at.saturating_add(1)));
        let _kept = limits.changes(Timestamp(at));
    }

    #[test]
    fn durations_are_read_as_they_are_written(hours in 0_u64..500, minutes in 0_u64..60, millis in 0_u64..60_000) {
        let text = format!("{hours}h{minutes}m{}.{:03}s", millis / 1000, millis % 1000);
        let expected = ((hours * 60 + minutes) * 60_000 + millis).cast_signed();
        let found = values::moment(&text, NOW).map(|at| at.0 - NOW.0);
        prop_assert_eq!(found, Some(expected));
    }

    #[test]
    fn moments_are_read_in_every_notation(ahead in 0_i64..400 * 86_400) {
        let expected = Timestamp(NOW.0 + ahead * SECOND);
        let moment = jiff::Timestamp::from_millisecond(expected.0).unwrap();
        for text in [
            moment.to_string(),
            jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&moment).unwrap(),
            (expected.0 / 1000).to_string(),
            expected.0.to_string(),
            ahead.to_string(),
            format!("{ahead}.000"),
        ] {
            prop_assert_eq!(values::moment(&text, NOW), Some(expected), "{}", text);
        }
    }
}
