use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

/// 2026-11-22T10:00:00Z.
const MORNING: i64 = 1_795_341_600_000;

fn time(second: u32) -> String {
    format!("2026-11-22T10:{:02}:{:02}.000Z", second / 60, second % 60)
}

fn read(tool: Tool, lines: &[Value]) -> Vec<Logged> {
    let mut reader = LogReader::new(tool);
    for line in lines {
        assert_eq!(reader.line(line.to_string().as_bytes()), Ok(()), "{line}");
    }
    reader.finish()
}

/// Input, cache read, cache write, output and reasoning.
fn numbers(call: &Logged) -> [u64; 5] {
    let parts = call.parts();
    [
        parts.input,
        parts.cache_read,
        parts.cache_write(),
        parts.output,
        parts.reasoning,
    ]
    .map(|tokens| tokens.map_or(0, |tokens| tokens.0))
}

fn user(second: u32) -> Value {
    json!({"type": "user", "timestamp": time(second), "sessionId": "conv-1", "uuid": "u", "message": {"role": "user", "content": "x"}})
}

fn assistant(second: u32, id: &str, request: &str, output: u64) -> Value {
    json!({
        "parentUuid": "u", "isSidechain": false, "type": "assistant", "timestamp": time(second), "uuid": format!("l{second}"),
        "sessionId": "conv-1", "requestId": request, "version": "2.0.1",
        "message": {
            "id": id, "type": "message", "role": "assistant", "model": "claude-sonnet-4-5-20250929",
            "content": [{"type": "text", "text": "\"usage\": no"}], "stop_reason": null,
            "usage": {
                "input_tokens": 10, "cache_creation_input_tokens": 30, "cache_read_input_tokens": 200,
                "cache_creation": {"ephemeral_5m_input_tokens": 10, "ephemeral_1h_input_tokens": 20},
                "output_tokens": output, "service_tier": "standard"
            }
        }
    })
}

#[test]
fn the_fullest_snapshot_of_a_message_counts_once() {
    let calls = read(
        Tool::ClaudeCode,
        &[
            json!({"type": "summary", "summary": "x", "leafUuid": "l"}),
            user(0),
            assistant(5, "msg_1", "req_1", 1),
            assistant(6, "msg_1", "req_1", 1),
            assistant(7, "msg_1", "req_1", 250),
            user(8),
            assistant(9, "msg_2", "req_2", 7),
            // A copy of an early snapshot, as resuming makes them.
            assistant(5, "msg_1", "req_1", 1),
        ],
    );
    let found: Vec<_> = calls.iter().map(|call| (&*call.key, numbers(call))).collect();
    assert_eq!(
        found,
        [("msg_1", [10, 200, 30, 250, 0]), ("msg_2", [10, 200, 30, 7, 0])]
    );
    let first = &calls[0];
    assert_eq!(
        (first.started_at, first.duration_ms),
        (Timestamp(MORNING), Millis(7_000))
    );
    assert_eq!(
        (first.cache_write_5m, first.cache_write_1h),
        (Some(Tokens(10)), Some(Tokens(20)))
    );
    assert_eq!(
        (&*first.provider, first.model.as_deref(), first.client.as_deref()),
        (
            "anthropic",
            Some("claude-sonnet-4-5-20250929"),
            Some("Claude Code")
        )
    );
    assert_eq!(
        (first.conversation.as_deref(), first.request_id.as_deref()),
        (Some("conv-1"), Some("req_1"))
    );
    assert!(
        first
            .raw_usage
            .as_deref()
            .unwrap()
            .contains("\"output_tokens\":250")
    );
}

#[test]
fn what_is_no_call_is_passed_over_and_what_cannot_be_read_is_named() {
    let with = |field: &str, value: Value| {
        let mut line = assistant(1, "msg_1", "req_1", 5);
        match line.pointer_mut(field) {
            Some(place) => *place = value,
            None => panic!("{field}"),
        }
        line
    };
    for line in [
        json!({"type": "file-history-snapshot", "snapshot": {"timestamp": "x"}}),
        json!({"type": "system", "message": 5}),
        json!({"no": "type"}),
        with("/message/model", json!("<synthetic>")),
        with("/message/usage", Value::Null),
    ] {
        assert_eq!(read(Tool::ClaudeCode, &[line]), []);
    }
    for (line, expected) in [
        (with("/timestamp", json!("yesterday")), BadLine::NoMoment),
        (
            with("/message/usage", json!({"output_tokens": -1})),
            BadLine::NoUsage,
        ),
        (with("/message/usage", json!({})), BadLine::NoUsage),
    ] {
        let mut reader = LogReader::new(Tool::ClaudeCode);
        assert_eq!(reader.line(line.to_string().as_bytes()), Err(expected));
    }
    let mut reader = LogReader::new(Tool::ClaudeCode);
    assert!(matches!(
        reader.line(b"{\"type\": \"assis"),
        Err(BadLine::Shape(_))
    ));
    assert_eq!(reader.line(b"  "), Ok(()));
}

#[test]
fn a_sub_agents_message_is_a_call_of_its_conversation() {
    let mut line = assistant(1, "msg_3", "req_3", 5);
    line["isSidechain"] = json!(true);
    line["agentId"] = json!("a1b2");
    let calls = read(Tool::ClaudeCode, &[line]);
    assert_eq!(
        (calls[0].conversation.as_deref(), calls[0].agent.as_deref()),
        (Some("conv-1"), Some("a1b2"))
    );
}

#[test]
fn other_servers_messages_are_theirs() {
    for (id, model, request, provider, key) in [
        ("msg_bdrk_01", "claude-sonnet-4-5", "", "bedrock", "msg_bdrk_01"),
        (
            "msg_vrtx_01",
            "claude-sonnet-4-5",
            "req_1",
            "vertex",
            "msg_vrtx_01",
        ),
        ("20251122aa", "glm-4.6", "req_1", "zai", "20251122aa req_1"),
        ("0", "kimi-k2", "req_1", "moonshot", "0 req_1"),
    ] {
        let mut line = assistant(1, id, request, 5);
        line["message"]["model"] = json!(model);
        if request.is_empty() {
            line.as_object_mut().unwrap().remove("requestId");
        }
        let calls = read(Tool::ClaudeCode, &[line]);
        assert_eq!((&*calls[0].provider, &*calls[0].key), (provider, key));
    }
}

const PARENT: &str = "019ab000-0000-7000-8000-000000000001";
const FORK: &str = "019ab111-0000-7000-8000-000000000002";

fn meta(second: u32, id: &str, forked_from: Option<&str>) -> Value {
    json!({"timestamp": time(second), "type": "session_meta", "payload": {
        "id": id, "timestamp": time(second), "cwd": "/w", "originator": "codex_cli_rs", "cli_version": "0.50.0",
        "model_provider": "openai", "forked_from_id": forked_from
    }})
}

fn turn(second: u32, turn: Option<&str>) -> Value {
    json!({"timestamp": time(second), "type": "turn_context", "payload": {"model": "gpt-5-codex", "turn_id": turn, "effort": "high"}})
}

fn usage([input, cached, output, reasoning]: [u64; 4]) -> Value {
    json!({
        "input_tokens": input, "cached_input_tokens": cached, "output_tokens": output,
        "reasoning_output_tokens": reasoning, "total_tokens": input + output
    })
}

fn token_count(second: u32, sums: [u64; 4], last: [u64; 4]) -> Value {
    json!({"timestamp": time(second), "type": "event_msg", "payload": {
        "type": "token_count",
        "info": {"total_token_usage": usage(sums), "last_token_usage": usage(last), "model_context_window": 272_000},
        "rate_limits": {"primary": {"used_percent": 3.0}}
    }})
}

#[test]
fn codex_says_sums_and_says_them_again() {
    let calls = read(
        Tool::Codex,
        &[
            meta(0, PARENT, None),
            turn(1, None),
            json!({"timestamp": time(1), "type": "event_msg", "payload": {"type": "token_count", "info": null}}),
            token_count(4, [100, 60, 20, 5], [100, 60, 20, 5]),
            // The limits moved; nobody called.
            token_count(5, [100, 60, 20, 5], [100, 60, 20, 5]),
            json!({"timestamp": time(6), "type": "response_item", "payload": {"type": "function_call_output", "output": "x"}}),
            token_count(9, [250, 160, 50, 5], [150, 100, 30, 0]),
            // A compaction: what is in the window is no call.
            json!({"timestamp": time(9), "type": "compacted", "payload": {"message": "x"}}),
            token_count(9, [250, 160, 50, 6], [0, 0, 0, 0]),
        ],
    );
    let found: Vec<_> = calls
        .iter()
        .map(|call| (numbers(call), call.started_at.0 - MORNING, call.duration_ms.0))
        .collect();
    assert_eq!(
        found,
        [
            ([40, 60, 0, 15, 5], 1_000, 3_000),
            ([50, 100, 0, 30, 0], 6_000, 3_000)
        ]
    );
    assert_eq!(
        (
            calls[0].model.as_deref(),
            calls[0].conversation.as_deref(),
            &*calls[0].provider
        ),
        (Some("gpt-5-codex"), Some(PARENT), "openai")
    );
}

#[test]
fn a_fork_tells_its_parents_calls_again_and_they_count_once() {
    for known_turn in [None, Some("turn-1")] {
        let history = |at: u32| {
            [
                turn(at, known_turn),
                token_count(at + 3, [100, 60, 20, 5], [100, 60, 20, 5]),
                token_count(at + 3, [250, 160, 50, 5], [150, 100, 30, 0]),
            ]
        };
        let parent = [vec![meta(0, PARENT, None)], history(0).to_vec()].concat();
        let fork = [
            vec![meta(600, FORK, Some(PARENT)), meta(600, PARENT, None)],
            history(600).to_vec(),
            vec![turn(700, known_turn.map(|_| "turn-2"))],
            vec![token_count(705, [400, 200, 60, 5], [150, 40, 10, 0])],
        ]
        .concat();
        // The parent goes on by itself, to the same sums by chance.
        let parent = [
            parent,
            vec![token_count(710, [400, 200, 60, 6], [150, 40, 10, 1])],
        ]
        .concat();
        let calls: Vec<Logged> = [read(Tool::Codex, &parent), read(Tool::Codex, &fork)].concat();
        assert_eq!(calls.len(), 6);
        let single = without_copies(calls);
        assert_eq!(single.len(), 4);
        let total: u64 = single
            .iter()
            .filter_map(|call| call.parts().total())
            .map(|tokens| tokens.0)
            .sum();
        assert_eq!(total, 120 + 180 + 160 + 160);
    }
}

#[test]
fn two_threads_that_begin_alike_are_two() {
    let first = |id| {
        [
            meta(0, id, None),
            turn(1, None),
            token_count(4, [100, 60, 20, 5], [100, 60, 20, 5]),
        ]
    };
    let calls = [read(Tool::Codex, &first(PARENT)), read(Tool::Codex, &first(FORK))].concat();
    assert_eq!(without_copies(calls).len(), 2);
}

#[test]
fn a_log_is_known_by_its_first_lines() {
    for (lines, expected) in [
        (
            vec![json!({"type": "summary", "leafUuid": "x"}), user(1)],
            Some(Tool::ClaudeCode),
        ),
        (vec![meta(0, PARENT, None)], Some(Tool::Codex)),
        (vec![json!({"type": "x"}), json!([1])], None),
    ] {
        let lines: Vec<Vec<u8>> = lines.iter().map(|line| line.to_string().into_bytes()).collect();
        assert_eq!(recognise(lines.iter().map(Vec::as_slice)), expected);
    }
    assert_eq!(recognise([b"no json".as_slice()]), None);
}

fn metered_call(n: u128, conversation: Option<&str>, request: Option<&str>, input: u64, at: i64) -> Call {
    let logged = Logged {
        conversation: conversation.map(Into::into),
        request_id: request.map(Into::into),
        started_at: Timestamp(at),
        duration_ms: Millis(1_000),
        input: Some(Tokens(input)),
        output: Some(Tokens(5)),
        ..read(Tool::ClaudeCode, &[assistant(0, "msg_0", "req_0", 1)]).remove(0)
    };
    let logged = Logged {
        cache_read: None,
        cache_write_5m: None,
        cache_write_1h: None,
        ..logged
    };
    let (start, end) = logged.call(CallId::from_uuid(uuid::Uuid::from_u128(n)), None);
    Call {
        start,
        session: None,
        attribution: crate::domain::call::Attribution::Unassigned,
        end: Some(CallEnd {
            source: Some(Source::Exact),
            ..end
        }),
        cost: None,
        counted_by: None,
        changed_at: None,
    }
}

#[test]
fn what_the_proxy_metered_is_found_by_its_request_or_by_its_thread_and_numbers() {
    let logged = |conversation: Option<&str>, request: Option<&str>, input: u64, at: i64| {
        let call = metered_call(9, conversation, request, input, at);
        let end = call.end.unwrap();
        Logged {
            input: end.parts.input,
            cache_read: Some(Tokens(0)),
            cache_write_5m: None,
            cache_write_1h: None,
            output: Some(Tokens(5)),
            conversation: call.start.conversation,
            request_id: end.request_id,
            started_at: call.start.started_at,
            ..read(Tool::ClaudeCode, &[assistant(0, "msg_0", "req_0", 1)]).remove(0)
        }
    };
    let id = |n| Some(CallId::from_uuid(uuid::Uuid::from_u128(n)));
    for (looked_for, expected) in [
        (logged(None, Some("req_1"), 77, MORNING), id(1)),
        (logged(Some("a"), Some("req_9"), 10, MORNING), None),
        (logged(Some("a"), None, 10, MORNING), id(1)),
        (logged(Some("a"), None, 10, MORNING + 600_000), None),
        (logged(Some("b"), None, 10, MORNING), None),
        (logged(Some("c"), None, 10, MORNING + 60_000), id(2)),
        (logged(Some("c"), Some("req_9"), 10, MORNING), id(2)),
        (logged(Some("c"), None, 11, MORNING), None),
    ] {
        let mut metered = Metered::default();
        metered.extend([
            metered_call(1, Some("a"), Some("req_1"), 10, MORNING),
            metered_call(2, Some("c"), None, 10, MORNING),
        ]);
        assert_eq!(metered.take(&looked_for), expected, "{looked_for:?}");
        if looked_for.request_id.is_none() {
            assert_eq!(metered.take(&looked_for), None, "each is one call");
        }
    }
}

#[test]
fn stretches_are_put_together_where_they_meet() {
    let at = |ms| Logged {
        started_at: Timestamp(ms),
        duration_ms: Millis(0),
        ..read(Tool::ClaudeCode, &[assistant(0, "msg_0", "req_0", 1)]).remove(0)
    };
    const HOUR: i64 = 3_600_000;
    let stretches = Metered::stretches(&[at(10 * HOUR), at(HOUR), at(HOUR + 5), at(2 * HOUR)]);
    let slack = 120_000;
    assert_eq!(
        stretches,
        [
            (Timestamp(0), Timestamp(2 * HOUR + slack)),
            (Timestamp(9 * HOUR), Timestamp(10 * HOUR + slack))
        ]
    );
}

proptest! {
    #[test]
    fn no_bytes_break_a_reader(lines in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 0..20)) {
        for tool in [Tool::ClaudeCode, Tool::Codex] {
            let mut reader = LogReader::new(tool);
            for line in &lines {
                drop(reader.line(line));
            }
            prop_assert!(reader.finish().is_empty());
        }
    }

    /// Cut anywhere, with any byte changed: a line is read, or is not, and nothing else happens.
    #[test]
    fn broken_lines_break_nothing(which in 0..4_usize, cut in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let (tool, line) = match which {
            0 => (Tool::ClaudeCode, assistant(1, "msg_1", "req_1", 5)),
            1 => (Tool::Codex, meta(0, FORK, Some(PARENT))),
            2 => (Tool::Codex, turn(0, Some("t"))),
            _ => (Tool::Codex, token_count(4, [100, 60, 20, 5], [100, 60, 20, 5])),
        };
        let mut line = line.to_string().into_bytes();
        let at = cut.index(line.len());
        line[at] = byte;
        let mut reader = LogReader::new(tool);
        drop(reader.line(&line));
        drop(reader.line(&line[..at]));
        for call in reader.finish() {
            prop_assert!(call.key.len() <= LONGEST_TEXT);
        }
    }

    /// In whatever order copies come, and however often, the sums are the same.
    #[test]
    fn the_order_of_copies_does_not_matter(order in Just((0..12_usize).collect::<Vec<_>>()).prop_shuffle(), again in 0..12_usize) {
        let copies: Vec<Logged> = (0..12_u32)
            .flat_map(|n| read(Tool::ClaudeCode, &[assistant(n, &format!("msg_{}", n / 3), "r", u64::from(n % 3) * 10)]))
            .collect();
        let mut told: Vec<Logged> = order.iter().map(|at| copies[*at].clone()).collect();
        told.push(copies[again].clone());
        let total: u64 = without_copies(told).iter().filter_map(|call| call.parts().total()).map(|tokens| tokens.0).sum();
        prop_assert_eq!(total, 4 * (240 + 20));
    }
}
