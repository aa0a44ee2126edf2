/**
 * Which answers of the API an event makes old. Pure.
 */
import type { Change, ServerMessage } from "@/api/types.gen";

/** What an answer is about. */
export type Topic =
  | "sessions"
  | "checkpoints"
  | "curves"
  | "calls"
  | "usage"
  | "alerts"
  | "budgets"
  | "limits"
  /** What hardly an event tells of: settings, prices, connections. A new start may have changed them. */
  | "fixed";

const ALL: readonly Topic[] = [
  "sessions",
  "checkpoints",
  "curves",
  "calls",
  "usage",
  "alerts",
  "budgets",
  "limits",
  "fixed",
];

const TOUCHED: Record<Change["kind"], readonly Topic[]> = {
  session: ["sessions", "curves"],
  checkpoint: ["checkpoints"],
  "call.started": [],
  "call.finished": ["calls", "usage", "sessions", "curves", "budgets"],
  "calls.grew": [],
  "calls.moved": ["calls", "usage", "sessions", "checkpoints", "curves"],
  "session.deleted": ["sessions", "curves", "calls", "usage", "alerts", "budgets"],
  "calls.imported": ["calls", "usage", "sessions", "curves", "budgets"],
  forecast: [],
  alert: ["alerts"],
  limits: ["limits"],
  // What is told of the rules, and the setting itself.
  "alerts.at": ["alerts", "fixed"],
};

/** An event of a kind that this page does not know touches nothing that it shows. */
export const topicsOf = (message: ServerMessage): readonly Topic[] => {
  if (message.type === "snapshot") return ALL;
  return message.type === "event" ? (TOUCHED[message.kind] ?? []) : [];
};
