/**
 * The filters of the calls' page: from the address to the API's question, and held against a call that just came. Pure.
 */
import type { CallView, Outcome, Source } from "@/api/types.gen";
import { queryString } from "@/shared/use-url-state";

export const FILTERS = [
  "search",
  "session",
  "provider",
  "model",
  "client",
  "outcome",
  "source",
  "conversation",
  "since",
] as const;

export type CallFilters = Record<(typeof FILTERS)[number], string>;

const HOUR = 3_600_000;

export const sinces: { value: string; label: string; ms: number }[] = [
  { value: "1h", label: "Last hour", ms: HOUR },
  { value: "24h", label: "Last 24 hours", ms: 24 * HOUR },
  { value: "7d", label: "Last 7 days", ms: 7 * 24 * HOUR },
  { value: "30d", label: "Last 30 days", ms: 30 * 24 * HOUR },
];

/** From which moment on; `null` is any. */
export const fromOf = ({ since }: CallFilters, now: number): number | null => {
  const found = sinces.find(({ value }) => value === since);
  return found ? now - found.ms : null;
};

/** The question without its page: `?provider=openai`. */
export const question = ({ since: _, ...filters }: CallFilters, from: number | null): string =>
  queryString({ ...filters, from });

export const outcomes: { value: Outcome; label: string }[] = [
  { value: "complete", label: "Complete" },
  { value: "running", label: "Running" },
  { value: "client_aborted", label: "Client aborted" },
  { value: "upstream_error", label: "Upstream error" },
  { value: "stream_error", label: "Stream error" },
  { value: "interrupted", label: "Interrupted" },
];

export const sources: { value: Source; label: string }[] = [
  { value: "exact", label: "Exact" },
  { value: "partial", label: "Partial" },
  { value: "estimated", label: "Estimated" },
  { value: "manual", label: "Manual" },
  { value: "imported", label: "Imported" },
];

/** Whether a call that the socket told of belongs in the list. */
export const fits = (call: CallView, filters: CallFilters): boolean => {
  const { search, session } = filters;
  const same = (name: "provider" | "client" | "outcome" | "source" | "conversation"): boolean =>
    filters[name] === "" || filters[name] === call[name];
  const isOf = session === "" || session === (call.sessionId ?? "unassigned");
  const models = [call.model, call.requestModel];
  const text = [...models, call.operation, call.client].join(" ").toLowerCase();
  return (
    isOf &&
    same("provider") &&
    same("client") &&
    same("outcome") &&
    same("source") &&
    same("conversation") &&
    (filters.model === "" || models.includes(filters.model)) &&
    text.includes(search.toLowerCase())
  );
};
