import { describe, expect, it } from "vitest";
import type { AlertView, CallView, Change, LimitsView, ServerMessage, SessionView } from "@/api/types.gen";
import {
  apply,
  emptyState,
  KEPT_CALLS,
  type LiveState,
  noTotals,
  withAnswer,
  withSession,
} from "@/store/live-reducer";

const session = (id: string, change: Partial<SessionView> = {}): SessionView => ({
  id,
  name: `Session ${id}`,
  status: "active",
  current: false,
  revision: 1,
  duration: null,
  tokenBudget: null,
  budgetCounts: "all",
  costBudgetNanoUsd: null,
  atLimit: "alert",
  origin: "manual",
  tags: [],
  note: null,
  onSleep: "pause",
  trimmedMs: 0,
  told: [],
  pausedTokens: 0,
  checkpoints: 0,
  lastCheckpoint: null,
  burnRate: null,
  forecast: null,
  createdAt: 1_000,
  startedAt: 1_000,
  endedAt: null,
  elapsedMs: 500,
  at: 1_500,
  tokensUsed: 0,
  usage: noTotals,
  ...change,
});

const call = (id: string, change: Partial<CallView> = {}): CallView => ({
  id,
  sessionId: null,
  askedSession: null,
  attribution: "unassigned",
  conversation: null,
  agent: null,
  parentAgent: null,
  client: null,
  provider: "anthropic",
  model: null,
  requestModel: null,
  operation: "messages",
  streamed: null,
  status: null,
  outcome: "running",
  source: null,
  input: null,
  cacheRead: null,
  cacheWrite: null,
  output: null,
  reasoning: null,
  total: null,
  outputSoFar: null,
  estimate: null,
  costNanoUsd: null,
  priceSource: null,
  priceDate: null,
  startedAt: 1_000,
  ttftMs: null,
  durationMs: null,
  requestId: null,
  error: null,
  countedBy: null,
  ...change,
});

const alert = (change: Partial<AlertView> = {}): AlertView => ({
  id: "a1",
  rule: "store.slow",
  scope: { kind: "moonlock" },
  severity: "warning",
  level: null,
  status: "active",
  message: "The disk is slow.",
  raisedAt: 1_000,
  worsenedAt: null,
  clearedAt: null,
  acknowledgedAt: null,
  snoozedUntil: null,
  ...change,
});

const snapshot = (change: object = {}): ServerMessage => ({
  type: "snapshot",
  seq: 10,
  at: 2_000,
  version: "0.1.0",
  proxyUrl: "http://127.0.0.1:3002",
  sessions: [session("s1", { current: true })],
  unassigned: noTotals,
  calls: [],
  alerts: [],
  limits: [],
  alertAtPercent: [80, 95],
  ...change,
});

const event = (seq: number, change: Change, sessionId: string | null = null): ServerMessage => ({
  type: "event",
  seq,
  at: 2_000,
  sessionId,
  ...change,
});

const replay = (...messages: ServerMessage[]): LiveState =>
  messages.reduce((state, message, index) => apply(state, message, 100 + index), emptyState);

const ids = (state: LiveState): string[] => state.calls.map(({ id }) => id);

describe("a forecast", () => {
  it("changes what is foretold of its session, and nothing else", () => {
    const burnRate = {
      tokensPerMinute: 1_200,
      nanoUsdPerMinute: null,
      callsPerHour: 60,
      halfLifeMs: 300_000,
    };
    const before = replay(snapshot({ sessions: [session("s1"), session("s2")] }));
    const told = { elapsedMs: 600, burnRate, forecast: null };
    const state = apply(before, event(11, { kind: "forecast", data: told }, "s1"), 200);
    const view = (id: string) => state.sessions.find((known) => known.view.id === id)?.view;
    expect(view("s1")).toEqual(session("s1", { burnRate }));
    expect(view("s2")).toEqual(session("s2"));
  });
});

describe("a snapshot", () => {
  it("replaces everything, also by a state with a lower number", () => {
    const state = replay(snapshot({ seq: 99, calls: [call("old")] }), snapshot({ seq: 3, version: "0.2.0" }));
    expect(state).toMatchObject({ seq: 3, version: "0.2.0", calls: [], missed: false });
    expect(state.clock).toEqual({ serverAt: 2_000, receivedAt: 101 });
  });

  it("anchors each session's clock at its receipt", () => {
    expect(replay(snapshot()).sessions[0]).toMatchObject({ receivedAt: 100, view: { elapsedMs: 500 } });
  });

  it("is ordered newest first", () => {
    const sessions = [session("a", { createdAt: 1 }), session("b", { createdAt: 2 })];
    const calls = [call("a", { startedAt: 1 }), call("b", { startedAt: 2 })];
    const state = replay(snapshot({ sessions, calls }));
    expect(state.sessions.map(({ view }) => view.id)).toEqual(["b", "a"]);
    expect(ids(state)).toEqual(["b", "a"]);
  });
});

describe("events", () => {
  it("are left out before the first snapshot", () => {
    expect(replay(event(1, { kind: "call.started", data: call("c") }))).toEqual(emptyState);
  });

  it("are left out if they are known already", () => {
    const known = replay(snapshot());
    expect(apply(known, event(10, { kind: "call.started", data: call("c") }), 200)).toBe(known);
  });

  it("mark a gap, and wait until what is missing has come", () => {
    const start = (id: string): Change => ({ kind: "call.started", data: call(id) });
    const gap = replay(snapshot(), event(12, start("c12")));
    expect(gap).toMatchObject({ seq: 10, missed: true, calls: [] });
    const mended = apply(apply(gap, event(11, start("c11")), 1), event(12, start("c12")), 2);
    expect(mended).toMatchObject({ seq: 12, missed: false });
    expect(ids(mended)).toEqual(["c12", "c11"]);
  });
});

describe("calls", () => {
  it("start, and finish with the new sums of their session", () => {
    const totals = { ...noTotals, requests: 1, total: 42 };
    const state = replay(
      snapshot(),
      event(11, { kind: "call.started", data: call("c", { sessionId: "s1" }) }),
      event(12, {
        kind: "call.finished",
        data: { call: call("c", { sessionId: "s1", outcome: "complete", total: 42 }), totals },
      }),
    );
    expect(state.calls).toMatchObject([{ id: "c", outcome: "complete", total: 42 }]);
    expect(state.sessions[0]).toMatchObject({ receivedAt: 100, view: { tokensUsed: 42, usage: totals } });
    expect(state.unassigned).toBe(noTotals);
  });

  it("of no session change the unassigned sums", () => {
    const totals = { ...noTotals, requests: 1, total: 7 };
    const state = replay(snapshot(), event(11, { kind: "call.finished", data: { call: call("c"), totals } }));
    expect(state.unassigned).toBe(totals);
    expect(state.sessions[0]?.view.usage).toBe(noTotals);
  });

  it("stay finished if their start comes later", () => {
    const state = replay(
      snapshot(),
      event(11, {
        kind: "call.finished",
        data: { call: call("c", { outcome: "complete" }), totals: noTotals },
      }),
      event(12, { kind: "call.started", data: call("c") }),
    );
    expect(state.calls).toMatchObject([{ id: "c", outcome: "complete" }]);
    expect(state.seq).toBe(12);
  });

  it("grow beside the list, which stays as it is", () => {
    const grew = (seq: number, outputSoFar: number) =>
      event(seq, {
        kind: "calls.grew",
        data: { calls: ["c", "d", "gone"].map((id) => ({ id, outputSoFar })) },
      });
    const begun = replay(snapshot({ calls: [call("c"), call("d")] }));
    const grown = apply(apply(begun, grew(11, 20), 100), grew(12, 40), 200);
    expect(grown.calls).toBe(begun.calls);
    expect([...grown.grown]).toEqual([
      ["c", 40],
      ["d", 40],
    ]);
    const ended = { call: call("c", { outcome: "complete" }), totals: noTotals };
    const later = apply(
      apply(grown, event(13, { kind: "call.finished", data: ended }), 300),
      grew(14, 60),
      400,
    );
    expect([...later.grown]).toEqual([["d", 60]]);
  });

  it("are kept up to a number, the newest", () => {
    const calls = Array.from({ length: KEPT_CALLS }, (_, index) => call(`c${index}`, { startedAt: index }));
    const newest = call("new", { startedAt: KEPT_CALLS });
    const state = replay(snapshot({ calls }), event(11, { kind: "call.started", data: newest }));
    expect(state.calls).toHaveLength(KEPT_CALLS);
    expect(state.calls[0]?.id).toBe("new");
    expect(ids(state)).not.toContain("c0");
  });
});

describe("sessions", () => {
  it("that become current end the others' being so", () => {
    const second = session("s2", { current: true, createdAt: 2_000 });
    const state = replay(snapshot(), event(11, { kind: "session", data: second }));
    expect(state.sessions.map(({ view }) => [view.id, view.current])).toEqual([
      ["s2", true],
      ["s1", false],
    ]);
  });

  it("move their anchor when they change", () => {
    const paused = session("s1", { status: "paused", revision: 2, elapsedMs: 900, at: 1_900 });
    const state = replay(snapshot(), event(11, { kind: "session", data: paused }));
    expect(state.sessions).toEqual([{ view: paused, receivedAt: 101 }]);
  });

  it("are as the stream told last, also after the machine's clock was set back", () => {
    const paused = session("s1", { status: "paused", revision: 2, at: 9_000, checkpoints: 0 });
    const later = session("s1", { status: "paused", revision: 2, at: 4_000, checkpoints: 1 });
    const state = replay(
      snapshot(),
      event(11, { kind: "session", data: paused }),
      event(12, { kind: "session", data: later }),
    );
    expect(state.sessions.map(({ view }) => view)).toEqual([later]);
  });

  it("never go back to an older revision, whichever way it comes", () => {
    const known = withSession([], session("s1", { revision: 3 }), 1);
    expect(withSession(known, session("s1", { revision: 2, at: 9_000 }), 2)).toBe(known);
    expect(withAnswer(known, session("s1", { revision: 2, at: 9_000 }), 2)).toBe(known);
  });

  it("take of an answer what the stream has not told yet", () => {
    const known = withSession([], session("s1", { revision: 3, checkpoints: 2 }), 1);
    const overtaken = session("s1", { revision: 3, checkpoints: 1, at: 9_000 });
    expect(withAnswer(known, overtaken, 2)).toBe(known);
    const next = session("s1", { revision: 4 });
    expect(withAnswer(known, next, 2)).toEqual([{ view: next, receivedAt: 2 }]);
    expect(withAnswer([], next, 2)).toEqual([{ view: next, receivedAt: 2 }]);
  });
});

describe("a deleted session", () => {
  const mine = call("c1", { sessionId: "s1" });
  const other = call("c0");
  const before = replay(snapshot({ sessions: [session("s1"), session("s2")], calls: [mine, other] }));
  const deleted = (calls: "unassign" | "delete") =>
    apply(before, event(11, { kind: "session.deleted", data: { calls } }, "s1"), 200);

  it("is gone", () => {
    expect(deleted("unassign").sessions.map(({ view }) => view.id)).toEqual(["s2"]);
  });

  it("takes its calls with it, or leaves them to be moved", () => {
    expect(ids(deleted("delete"))).toEqual(["c0"]);
    expect(ids(deleted("unassign"))).toEqual(["c1", "c0"]);
  });
});

describe("alerts", () => {
  it("last until they are cleared", () => {
    const raised = replay(snapshot(), event(11, { kind: "alert", data: alert() }));
    expect(raised.alerts).toHaveLength(1);
    const cleared = apply(raised, event(12, { kind: "alert", data: alert({ clearedAt: 3_000 }) }), 1);
    expect(cleared.alerts).toEqual([]);
  });

  it("that a snapshot brings as cleared are not shown", () => {
    expect(replay(snapshot({ alerts: [alert({ clearedAt: 1 })] })).alerts).toEqual([]);
  });
});

it("the shares at which the server alerts are those that were told last", () => {
  expect(replay(snapshot()).alertAt).toEqual([80, 95]);
  expect(replay(snapshot(), event(11, { kind: "alerts.at", data: { percent: [50] } })).alertAt).toEqual([50]);
});

describe("limits", () => {
  const limits = (provider: string, credential: string, seenAt: number, names: string[]): LimitsView => ({
    provider,
    credential,
    seenAt,
    windows: names.map((name) => ({
      name,
      kind: "tokens",
      periodMs: null,
      limit: 100,
      remaining: 50,
      usedPermille: 500,
      status: null,
      deciding: false,
      resetsAt: null,
      seenAt,
      stale: false,
    })),
  });

  it("are replaced for the credential that they are told of", () => {
    const known = replay(
      snapshot({ limits: [limits("openai", "a", 2, ["tokens"]), limits("openai", "b", 1, ["tokens"])] }),
      event(11, { kind: "limits", data: limits("openai", "b", 3, ["tokens", "requests"]) }),
    );
    expect(known.limits.map(({ credential, windows }) => [credential, windows.length])).toEqual([
      ["b", 2],
      ["a", 1],
    ]);
    const forgotten = apply(known, event(12, { kind: "limits", data: limits("openai", "a", 2, []) }), 1);
    expect(forgotten.limits.map(({ credential }) => credential)).toEqual(["b"]);
  });
});

it("a pong sets the server's clock and nothing else", () => {
  const known = replay(snapshot());
  const state = apply(known, { type: "pong", at: 5_000 }, 700);
  expect(state).toEqual({ ...known, clock: { serverAt: 5_000, receivedAt: 700 } });
});
