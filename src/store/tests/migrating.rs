//! Databases of every older version, with rows in every table, come to the newest with all of them.

use std::collections::BTreeMap;

use rusqlite::Connection;
use tempfile::tempdir;

use super::support::*;
use crate::store::{AlertQuery, CallQuery, UsageQuery, migrations};

/// What a database of each version is given beside what the versions before it are given: version 1 first. A new step
/// adds a line, with a row for each table that it makes and each column that it adds.
const ROWS: &[&str] = &["
    INSERT INTO names (id, name) VALUES (1, 'openai'), (2, 'path'), (3, 'chat.completions'), (4, 'complete'),
        (5, 'gpt-5'), (6, 'exact'), (7, 'codex'), (8, 'unassigned');
    INSERT INTO sessions (key, id, name, created_at, duration_ms, token_budget, revision, status, heartbeat_boot_ns,
            heartbeat_mono_ns, heartbeat_wall_ms, heartbeat_boot_id)
        VALUES (1, x'01a3185c500070008000000000000001', 'evening', 1800000000000, 3600000, 500, 3, 'active', 5000000,
            5000000, 1800000000005, x'00000000000000000000000000000007');
    INSERT INTO timer_events (session, seq, kind, boot_ns, mono_ns, wall_ms, boot_id)
        VALUES (1, 1, 'started', 0, 0, 1800000000000, x'00000000000000000000000000000007');
    INSERT INTO checkpoints (id, session, at, elapsed_ms, phase, prompt_count, metadata)
        VALUES (x'01a3185c500070008000000000000002', 1, 1800000000003, 3, 'review', 2, '{}');
    INSERT INTO calls (id, started_at, session, attribution, provider, operation, request_model, client, outcome,
            status, model, source, streamed, ttft_ms, duration_ms, request_id, input_tokens, output_tokens,
            cost_nano_usd, raw_usage)
        VALUES (x'01a3185c500070008000000000000003', 1800000000000, 1, 2, 1, 3, 5, 7, 4, 200, 5, 6, 1, 12, 34, 'r1',
            100, 20, 1234, '{\"prompt_tokens\":100}');
    INSERT INTO running_calls (id, started_at, attribution, provider, operation)
        VALUES (x'01a3185c500070008000000000000004', 1800000000001, 8, 1, 3);
    INSERT INTO rollups VALUES (0, 1800000000000, 1, 1, 5, 7, 3, 6, 4, 1, 0, 100, 0, 0, 20, 0, 120, 1234, 1, 0, 0, 0, 34),
        (1, 1799971200000, 1, 1, 5, 7, 3, 6, 4, 1, 0, 100, 0, 0, 20, 0, 120, 1234, 1, 0, 0, 0, 34),
        (2, 0, 1, 1, 5, 7, 3, 6, 4, 1, 0, 100, 0, 0, 20, 0, 120, 1234, 1, 0, 0, 0, 34);
    INSERT INTO alerts (id, rule, message, raised_at, cleared_at)
        VALUES (x'01a3185c500070008000000000000005', 'store.slow', 'The disk is slow.', 1800000000000, NULL);
    INSERT INTO provider_windows (provider, name, seen_at, limit_value, remaining, resets_at)
        VALUES ('openai', 'tokens', 1800000000000, 1000, 900, 1800000060000);
    INSERT INTO settings (key, value) VALUES ('current_session', '01a3185c-5000-7000-8000-000000000001');
", "
    UPDATE calls SET counted_by = x'01a3185c500070008000000000000007' WHERE id = x'01a3185c500070008000000000000003';
    INSERT INTO counted_once (key, call, settled)
        VALUES (x'00112233445566778899aabbccddeeff', x'01a3185c500070008000000000000007', 1);
", "
    INSERT INTO provider_windows VALUES ('openai', '0123456789abcdef', 'tokens', 'tokens', 60000, 1000, 900, 100, NULL,
        0, 1800000060000, 1800000000000);
", "
    INSERT INTO names (id, name) VALUES (9, 'catalog'), (10, '2026-10-30');
    UPDATE calls SET price_source = 9, price_date = 10;
", "
    UPDATE sessions SET origin = 'auto', tags = '[\"rust\"]', note = 'mend it', on_sleep = 'count';
    INSERT INTO timer_events (session, seq, kind, boot_ns, mono_ns, wall_ms, boot_id, first_number, second_number)
        VALUES (1, 2, 'trimmed', 4000000, 4000000, 1800000000004, x'00000000000000000000000000000007', 1000000,
            2000000);
    INSERT INTO checkpoints (id, session, at, elapsed_ms, phase, input, cache_read, cache_write, output, reasoning,
            total, cost_nano_usd)
        VALUES (x'01a3185c500070008000000000000006', 1, 1800000000004, 4, 'build', 100, 0, 0, 20, 0, 120, 1234);
    INSERT INTO paused_calls (call, session, tokens) VALUES (x'01a3185c500070008000000000000003', 1, 120);
    INSERT INTO reports (session, key, fingerprint, calls, at)
        VALUES (1, 'k', zeroblob(32), x'01a3185c500070008000000000000003', 1800000000004);
", "
    INSERT INTO conversations (conversation, session, bound_at) VALUES ('thread', 1, 1800000000004);
", "
    UPDATE alerts SET scope = 'provider:openai', level = 80, severity = 'critical', worsened_at = 1800000000001,
        acknowledged_at = 1800000000002, snoozed_until = 1800000000003, muted = 1;
    INSERT INTO muted_rules (rule) VALUES ('calls.burst');
", "
    INSERT INTO names (id, name) VALUES (11, 'agent-2'), (12, 'agent-1');
    UPDATE calls SET agent = 11, parent_agent = 12;
    UPDATE running_calls SET agent = 12;
", "
    UPDATE calls SET input_low = 90, input_high = 110, output_low = 20;
", "
    INSERT INTO calibration (model, side, kind, pairs, learnt_at)
        VALUES ('gpt-5', 'output', 'text', '[[100,110]]', 1800000000004);
", "
    UPDATE sessions SET budget_counts = 'fresh', cost_budget_nano_usd = 5000000000, at_limit = 'block';
    INSERT INTO budgets (id, name, period, provider, token_budget, counts, at_limit, created_at, revision)
        VALUES (x'01a3185c500070008000000000000008', 'daily', 'day', 'openai', 1000, 'all', 'block', 1800000000000, 2);
", "
    INSERT INTO forecasts (session, shown) VALUES (1, '{\"bands\":[null,null,null],\"warned\":null}');
", "
    UPDATE calls SET changed_at = 1800000000009;
", "
    INSERT INTO sessions (id, status, emptying)
        VALUES (x'01a3185c50007000800000000000000a', 'completed', 'unassign');
", "
    UPDATE sessions SET elapsed_ms = 5000 WHERE name IS NOT NULL;
", "
    INSERT INTO answers (key, fingerprint, status, headers, body, at)
        VALUES ('key', x'00', 201, '[]', x'7b7d', 1800000000000);
", "
    INSERT INTO rollups VALUES (0, 1800000000000, 1, 1, 5, 7, 3, 6, 4, 0, 1, 0, 100, 0, 0, 20, 0, 120, 1234, 1, 0, 0, 0, 34, x'', x'');
", "
    INSERT INTO settings (key, value) VALUES ('sums', '4 1800000900000');
", "
    INSERT INTO call_places VALUES (1, 1, 2000000);
", "
    INSERT INTO courses VALUES (1, '', '{}', x'');
"];

/// How many rows each table has.
fn counts(connection: &Connection) -> BTreeMap<String, i64> {
    let mut statement = connection
        .prepare("SELECT name FROM pragma_table_list WHERE type = 'table' AND name NOT LIKE 'sqlite%'")
        .unwrap();
    let names = statement.query_map([], |row| row.get(0)).unwrap();
    names
        .map(|name| {
            let name: String = name.unwrap();
            let count = format!("SELECT count(*) FROM {name}");
            let count = connection.query_row(&count, [], |row| row.get(0)).unwrap();
            (name, count)
        })
        .collect()
}

#[test]
fn every_older_version_comes_to_the_newest_with_all_its_rows() {
    assert_eq!(
        ROWS.len(),
        migrations::latest(),
        "each step has rows to be tried with"
    );
    for version in 1..=migrations::latest() {
        let directory = tempdir().unwrap();
        let path = options(directory.path()).path;
        let before = {
            let mut connection = connect(&path);
            connection
                .execute_batch("PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL;")
                .unwrap();
            for (step, rows) in ROWS.iter().enumerate().take(version) {
                migrations::run_to(&mut connection, step + 1).unwrap();
                connection.execute_batch(rows).unwrap();
            }
            let before = counts(&connection);
            let empty: Vec<_> = before.iter().filter(|(_, count)| **count == 0).collect();
            assert!(empty.is_empty(), "version {version} has no rows in {empty:?}");
            before
        };
        let (store, recovered) = open(directory.path());
        assert_eq!(recovered.interrupted, 1, "version {version}");
        assert_eq!(recovered.sessions.len(), 1);
        assert_eq!(recovered.current, Some(session_id(1)));
        let calls = store.reader().calls(&CallQuery::default()).unwrap();
        assert_eq!(calls.len(), 2);
        assert_eq!(store.reader().alerts(&AlertQuery::default()).unwrap().len(), 1);
        put(&store, finished(&full(9)));
        let sums = store.reader().usage(&UsageQuery::default()).unwrap();
        let calls = store.reader().calls(&CallQuery::default()).unwrap();
        let counted = calls.iter().filter(|call| call.counted_by.is_none()).count();
        if version < 18 {
            assert_eq!(sums[0].totals.requests, counted as u64, "version {version}");
        }
        drop(store);
        let connection = connect(&path);
        let after = counts(&connection);
        for (table, count) in before {
            let kept = after.get(&table).copied().unwrap_or(0);
            let expected = match &*table {
                "running_calls" => 0,
                // Made anew.
                "rollups" => 1,
                // No program wrote to the table as it was then.
                "provider_windows" if version < 3 => 0,
                _ => count,
            };
            assert!(
                kept >= expected,
                "version {version}: {table} has {kept} of {expected} rows"
            );
        }
        let said: String = connection
            .query_row("PRAGMA integrity_check", [], |row| row.get(0))
            .unwrap();
        assert_eq!(said, "ok", "version {version}");
        let violations: i64 = connection
            .query_row("SELECT count(*) FROM pragma_foreign_key_check", [], |row| {
                row.get(0)
            })
            .unwrap();
        assert_eq!(violations, 0);
    }
}

#[test]
fn sums_that_every_level_holds_are_not_made_anew() {
    let mut connection = Connection::open_in_memory().unwrap();
    migrations::run_to(&mut connection, 17).unwrap();
    connection.execute_batch(ROWS[16]).unwrap();
    connection
        .execute_batch("INSERT INTO settings (key, value) VALUES ('sums', '3')")
        .unwrap();
    migrations::run_to(&mut connection, 18).unwrap();
    let select = "SELECT value FROM settings WHERE key = 'sums'";
    let until: String = connection.query_row(select, [], |row| row.get(0)).unwrap();
    assert_eq!(until, "4 1800000900000");
}
