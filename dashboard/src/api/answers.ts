/**
 * Answers of the API whose shape is told by `/api/openapi.json` alone. The tests against the real program read them.
 */

import type { AlertView, Rule } from "@/api/types.gen";

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
