/**
 * Invented calls, sessions and alerts to draw the dashboard with.
 */
import type {
  AlertView,
  BudgetForecast,
  CallView,
  Foretold,
  LimitsView,
  OutlookView,
  SessionView,
  Totals,
} from "../src/api/types.gen";
import { noTotals } from "../src/store/live-reducer";

const MINUTE = 60_000;

let ids = 0;
export const newId = (): string => {
  ids += 1;
  return `0197f3a0-0000-7000-8000-${String(ids).padStart(12, "0")}`;
};

const between = (low: number, high: number): number => Math.floor(low + Math.random() * (high - low));

const models = [
  {
    provider: "anthropic",
    model: "claude-sonnet-4-5",
    client: "claude-code",
    operation: "messages",
    price: 3,
  },
  {
    provider: "anthropic",
    model: "claude-haiku-4-5",
    client: "claude-code",
    operation: "messages",
    price: 1,
  },
  { provider: "openai", model: "gpt-5.1-codex", client: "codex", operation: "responses", price: 1.25 },
  { provider: "gemini", model: "gemini-3-pro", client: null, operation: "streamGenerateContent", price: 2 },
  {
    provider: "ollama",
    model: "qwen3-coder:30b",
    client: "opencode",
    operation: "chat.completions",
    price: null,
  },
] as const;

const pick = () => models[[0, 0, 0, 0, 1, 2, 2, 3, 4][between(0, 9)] ?? 0] ?? models[0];

export const startedCall = (sessionId: string | null, startedAt: number): CallView => {
  const { provider, model, client, operation } = pick();
  return {
    id: newId(),
    sessionId,
    askedSession: null,
    attribution: sessionId === null ? "unassigned" : "active",
    conversation: client === null ? null : `${client}-${client === "codex" ? "b7d2e1" : "5f2ca9"}`,
    agent: model.includes("haiku") ? "agent-71c03e" : null,
    parentAgent: null,
    client,
    provider,
    model: null,
    requestModel: model,
    operation,
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
    startedAt,
    ttftMs: null,
    durationMs: null,
    requestId: null,
    error: null,
    countedBy: null,
  };
};

/** Ends a call; `luck` below 0.06 ends it badly. */
export const finishedCall = (call: CallView, durationMs: number, luck = Math.random()): CallView => {
  const timing = { outputSoFar: null, ttftMs: Math.min(durationMs, between(280, 1_900)), durationMs };
  if (luck < 0.02) {
    return {
      ...call,
      durationMs: 210,
      outcome: "upstream_error",
      status: 429,
      streamed: false,
      error: "rate_limit_error",
    };
  }
  const numbers = usage(call, luck < 0.06 ? 0.3 : 1);
  const ended = { ...call, ...timing, ...numbers, model: call.requestModel, status: 200, streamed: true };
  if (luck < 0.04) return { ...ended, outcome: "client_aborted", source: "partial" };
  if (luck < 0.06) return { ...ended, outcome: "stream_error", source: "partial", error: "overloaded_error" };
  if (call.provider !== "ollama") return { ...ended, outcome: "complete", source: "exact" };
  const estimate = {
    input: around(numbers.input),
    output: { low: numbers.output, high: null },
    lowerBound: true,
  };
  return { ...ended, outcome: "complete", source: "estimated", estimate };
};

const around = (tokens: number) => ({ low: Math.floor(tokens * 0.96), high: Math.ceil(tokens * 1.04) });

const usage = (call: CallView, share: number) => {
  const cached = call.provider === "anthropic" || call.provider === "openai";
  const input = between(300, cached ? 2_400 : 9_000);
  const cacheRead = cached ? between(14_000, 92_000) : null;
  const cacheWrite = call.provider === "anthropic" ? between(400, 5_200) : null;
  const output = Math.floor(between(120, 2_600) * share);
  const reasoning = call.provider === "ollama" ? null : Math.floor(output * Math.random() * 0.6);
  const price = models.find(({ model }) => model === call.requestModel)?.price ?? null;
  const weighted = input + (cacheRead ?? 0) * 0.1 + (cacheWrite ?? 0) * 1.25 + output * 5;
  return {
    input,
    cacheRead,
    cacheWrite,
    output,
    reasoning,
    total: input + (cacheRead ?? 0) + (cacheWrite ?? 0) + output,
    costNanoUsd: price === null ? null : Math.round(weighted * price * 1_000),
    priceSource: price === null ? null : ("catalog" as const),
    priceDate: price === null ? null : "2026-10-30",
  };
};

export const withCall = (sums: Totals, call: CallView): Totals => {
  const total = call.total ?? 0;
  const priced = call.costNanoUsd !== null;
  return {
    requests: sums.requests + 1,
    errors: sums.errors + (call.outcome === "complete" ? 0 : 1),
    input: sums.input + (call.input ?? 0),
    cacheRead: sums.cacheRead + (call.cacheRead ?? 0),
    cacheWrite: sums.cacheWrite + (call.cacheWrite ?? 0),
    output: sums.output + (call.output ?? 0),
    reasoning: sums.reasoning + (call.reasoning ?? 0),
    total: sums.total + total,
    costNanoUsd: priced ? (sums.costNanoUsd ?? 0) + (call.costNanoUsd ?? 0) : sums.costNanoUsd,
    unpricedTokens: sums.unpricedTokens + (priced ? 0 : total),
    unpricedRequests: sums.unpricedRequests + (priced || call.source === null ? 0 : 1),
    inexactTokens: sums.inexactTokens + (call.source === "exact" ? 0 : total),
    unknownRequests: sums.unknownRequests + (call.total === null ? 1 : 0),
  };
};

export const newSession = (name: string, change: Partial<SessionView> = {}): SessionView => {
  const now = Date.now();
  return {
    id: newId(),
    name,
    status: "active",
    current: true,
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
    createdAt: now,
    startedAt: now,
    endedAt: null,
    elapsedMs: 0,
    at: now,
    tokensUsed: 0,
    usage: noTotals,
    ...change,
  };
};

/** What the average so far comes to; not how Moonlock foretells. */
export const foretell = (view: SessionView): Foretold => {
  const { elapsedMs, usage, duration } = view;
  if (usage.requests === 0) return { elapsedMs, burnRate: null, forecast: null };
  const passed = Math.max(1, elapsedMs / MINUTE);
  const left = Math.max(0, (duration ?? 2 * elapsedMs + 30 * MINUTE) - elapsedMs) / MINUTE;
  const outlook = (spent: number): OutlookView => {
    const rest = (spent / passed) * left;
    const upTo = (times: number): number => Math.round(spent + rest * times);
    const band = (times: number) => ({ low: upTo(1 / times), high: upTo(times) });
    const perMinute = Math.round(spent / passed);
    return { spent, perMinute, expected: upTo(1), band50: band(1.4), band80: band(2), band95: band(3) };
  };
  const budget = (ahead: OutlookView | null, limit: number | null): BudgetForecast | null => {
    if (ahead === null || limit === null) return null;
    const { spent, expected, perMinute } = ahead;
    const expectedMs = (Math.max(0, limit - spent) / perMinute) * MINUTE;
    const odds = (expected / limit) ** 3;
    return {
      overrunPercent: Math.round((odds / (1 + odds)) * 100),
      timeToLimit: {
        earlyMs: Math.round(expectedMs / 2),
        expectedMs: Math.round(expectedMs),
        lateMs: Math.round(expectedMs * 2),
      },
    };
  };
  const total = outlook(usage.total);
  const fresh = outlook(usage.total - usage.cacheRead);
  const cost = usage.costNanoUsd === null ? null : outlook(usage.costNanoUsd);
  return {
    elapsedMs,
    burnRate: {
      tokensPerMinute: total.perMinute,
      nanoUsdPerMinute: cost?.perMinute ?? null,
      callsPerHour: Math.round((usage.requests / passed) * 60),
      halfLifeMs: 5 * MINUTE,
    },
    forecast: {
      total,
      fresh,
      costNanoUsd: cost,
      tokenBudget: budget(view.budgetCounts === "fresh" ? fresh : total, view.tokenBudget),
      costBudget: budget(cost, view.costBudgetNanoUsd),
      confidence: usage.requests < 5 ? "low" : "medium",
      calls: usage.requests,
      pastSessions: 12,
      end: duration === null ? "open" : "planned",
    },
  };
};

/** A session with what is foretold of it. */
export const foretold = (view: SessionView): SessionView => {
  const { burnRate, forecast } = foretell(view);
  return { ...view, burnRate, forecast };
};

export type Scene = {
  sessions: SessionView[];
  calls: CallView[];
  unassigned: Totals;
  alerts: AlertView[];
  limits: LimitsView[];
  alertAtPercent: number[];
};

const plan = (name: string, hours: number, usedPermille: number, resetsInMinutes: number) => ({
  name,
  kind: "plan" as const,
  periodMs: hours * 60 * MINUTE,
  limit: null,
  remaining: null,
  usedPermille,
  status: "allowed" as const,
  deciding: name === "5h",
  resetsAt: Date.now() + resetsInMinutes * MINUTE,
  seenAt: Date.now(),
  stale: false,
});

const over = (
  name: string,
  hoursAgo: number,
  minutes: number,
  tokens: number,
  usd: number | null,
): SessionView => {
  const startedAt = Date.now() - hoursAgo * 60 * MINUTE;
  const usage = {
    ...noTotals,
    requests: 40,
    total: tokens,
    input: tokens,
    costNanoUsd: usd === null ? null : usd * 1e9,
  };
  return newSession(name, {
    status: "completed",
    current: false,
    createdAt: startedAt,
    startedAt,
    endedAt: startedAt + minutes * MINUTE,
    elapsedMs: minutes * MINUTE,
    tokensUsed: tokens,
    usage,
  });
};

export const busyScene = (): Scene => {
  const now = Date.now();
  const elapsedMs = 74 * MINUTE + 37_482;
  const id = newId();
  let usage = noTotals;
  let unassigned = noTotals;
  const calls = Array.from({ length: 42 }, (_, index) => {
    const loose = index % 14 === 13;
    const started = startedCall(loose ? null : id, now - (42 - index) * 97_000 - between(0, 30_000));
    const call = finishedCall(
      started,
      between(1_800, 24_000),
      index === 30 ? 0.01 : index === 37 ? 0.03 : 0.5,
    );
    if (loose) unassigned = withCall(unassigned, call);
    else usage = withCall(usage, call);
    return call;
  });
  const startedAt = now - elapsedMs;
  const current = newSession("Split the parser into framings and readers", {
    id,
    duration: 120 * MINUTE,
    tokenBudget: Math.round(usage.total * 1.21),
    costBudgetNanoUsd: 5_000_000_000,
    createdAt: startedAt,
    startedAt,
    elapsedMs,
    tokensUsed: usage.total,
    usage,
  });
  return {
    sessions: [
      foretold(current),
      over("Fix the flaky shutdown test", 5, 48, 1_840_210, 2.41),
      over("Read up on WAL checkpoints", 22, 25, 212_400, 0.34),
      over("Local model trial", 27, 95, 3_402_118, null),
    ],
    calls: [...calls, { ...startedCall(id, now - 3_400), outputSoFar: 1_240 }].reverse(),
    unassigned,
    alerts: [
      {
        id: newId(),
        rule: "calls.loop",
        scope: { kind: "conversation", sessionId: id, conversation: "thread-7" },
        severity: "critical",
        level: null,
        status: "active",
        message:
          "One conversation made 25 nearly equal calls in 4 min. Look whether its agent goes in circles, and stop it if so.",
        raisedAt: now - 9 * MINUTE,
        worsenedAt: null,
        clearedAt: null,
        acknowledgedAt: null,
        snoozedUntil: null,
      },
      {
        id: newId(),
        rule: "session.idle",
        scope: { kind: "session", sessionId: id },
        severity: "info",
        level: null,
        status: "active",
        message: "The session's clock has run for 10 min without a call. Pause it if you are away.",
        raisedAt: now - MINUTE,
        worsenedAt: null,
        clearedAt: null,
        acknowledgedAt: null,
        snoozedUntil: null,
      },
      {
        id: newId(),
        rule: "store.slow",
        scope: { kind: "moonlock" },
        severity: "warning",
        level: null,
        status: "active",
        message:
          "The disk takes long to store calls (1.2 s). Calls are still kept; check the disk’s free space and load.",
        raisedAt: now - 4 * MINUTE,
        worsenedAt: null,
        clearedAt: null,
        acknowledgedAt: null,
        snoozedUntil: null,
      },
    ],
    limits: [
      {
        provider: "anthropic",
        credential: "5d0c61e9f2a7b384",
        seenAt: now,
        windows: [plan("5h", 5, 837, 96), plan("7d", 168, 290, 3_412)],
      },
      {
        provider: "openai",
        credential: "b1f7703c9ae4d256",
        seenAt: now - 4 * MINUTE,
        windows: [
          {
            name: "requests",
            kind: "requests",
            periodMs: MINUTE,
            limit: 500,
            remaining: 481,
            usedPermille: 38,
            status: null,
            deciding: false,
            resetsAt: null,
            seenAt: now - 4 * MINUTE,
            stale: false,
          },
          {
            name: "tokens",
            kind: "tokens",
            periodMs: MINUTE,
            limit: 200_000,
            remaining: 6_200,
            usedPermille: 969,
            status: null,
            deciding: false,
            resetsAt: now - MINUTE,
            seenAt: now - 4 * MINUTE,
            stale: true,
          },
        ],
      },
    ],
    alertAtPercent: [80, 95],
  };
};

export const emptyScene = (): Scene => ({
  sessions: [],
  calls: [],
  unassigned: noTotals,
  alerts: [],
  limits: [],
  alertAtPercent: [80, 95],
});
