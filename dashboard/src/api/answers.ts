/**
 * Answers of the API whose shape is told by `/api/openapi.json` alone. The tests against the real program read them.
 */

import type { AlertView, BudgetView, Rule, Totals } from "@/api/types.gen";

/** One tool of `GET /api/connect`. */
export type Tool = {
  id: string;
  name: string;
  /** What its calls' `client` may be. */
  clients: string[];
  /** The file that `text` goes into; `null` where it is typed or said in code. */
  file: string | null;
  /** What `text` is written in: `sh`, `toml`, `json`, `python`, `javascript` or `text`. */
  language: string;
  text: string;
  undo: string;
  note: string | null;
};

/** `GET /api/connect`. */
export type Connect = {
  /** The proxy's address, with the session's prefix where one was asked for. */
  proxyUrl: string;
  variables: Record<string, string>;
  tools: Tool[];
};

/** `GET /api/alerts`: the newest first. */
export type AlertsPage = { alerts: AlertView[]; next: string | null };

/** What is watched, and whether the user wants to hear of it. */
export type AlertRule = { rule: Rule; about: string; muted: boolean };

/** `GET /api/alert-rules`. */
export type AlertRules = { rules: AlertRule[] };

/** `GET /api/forecast/track-record`: how well forecasts did that were shown. */
export type TrackRecord = {
  /** Ranges that were shown, and those of them that held. */
  bands: number;
  held: number;
  /** Early warnings of which it is known what came of them, and those that came true. */
  warnings: number;
  cameTrue: number;
  /** The finished sessions behind it. */
  sessions: number;
  /** How many ranges of a hundred are to hold. */
  promisedPercent: number;
};

/** What a group of `GET /api/analytics/usage` is of: what `groupBy` named. */
export type UsageKeys = {
  session?: string | null;
  provider?: string | null;
  model?: string | null;
  client?: string | null;
  operation?: string | null;
  source?: string | null;
  outcome?: string | null;
  /** UTC epoch milliseconds. */
  hour?: number;
  /** `2026-11-22` in the zone that was asked for. */
  day?: string;
  /** From 1, Monday. */
  weekday?: number;
  hourOfDay?: number;
};

/** Calls that have something in common, and their sums. */
export type UsageGroup = UsageKeys &
  Totals & {
    /** How long they took together. */
    durationMs: number;
    /** Of the prompt tokens; `null` where there are none. */
    cacheHitShare: number | null;
    /** Of all tokens. */
    pricedShare: number | null;
    outputPerSecond: number | null;
    /** Half of the calls took at most this long, nine of ten, all but one of a hundred; to within 5 %. */
    durationP50Ms: number | null;
    durationP90Ms: number | null;
    durationP99Ms: number | null;
    /** The same of the time to a streamed reply's first byte. */
    ttftP50Ms: number | null;
    ttftP90Ms: number | null;
    ttftP99Ms: number | null;
  };

/** `GET /api/analytics/usage`. */
export type UsagePage = {
  period: string;
  /** The zone that days and hours are cut in; `null` where it has no name. */
  timeZone: string | null;
  /** UTC epoch milliseconds; `null` is the beginning. */
  from: number | null;
  /** UTC epoch milliseconds; `null` is now. */
  to: number | null;
  totals: Totals;
  groups: UsageGroup[];
};

/** `GET /api/budgets`: in the order in which they were made. */
export type BudgetsPage = { budgets: BudgetView[] };
