/**
 * The filters of the sessions' page: from the address to the API's question. Pure.
 */
import type { Status } from "@/api/types.gen";
import { queryString } from "@/shared/use-url-state";

export const FILTERS = ["search", "status", "tag", "since"] as const;

export type SessionFilters = Record<(typeof FILTERS)[number] | "sort", string>;

const DAY = 24 * 3_600_000;

export const sinces: { value: string; label: string; ms: number }[] = [
  { value: "24h", label: "Last 24 hours", ms: DAY },
  { value: "7d", label: "Last 7 days", ms: 7 * DAY },
  { value: "30d", label: "Last 30 days", ms: 30 * DAY },
  { value: "365d", label: "Last 365 days", ms: 365 * DAY },
];

export const statuses: { value: Status; label: string }[] = [
  { value: "active", label: "Running" },
  { value: "paused", label: "Paused" },
  { value: "completed", label: "Completed" },
];

/** What the address says, and what the API is asked. The newest first is what nobody need say. */
const sorts = {
  "": { label: "Newest first", sort: "", order: "" },
  oldest: { label: "Oldest first", sort: "started", order: "asc" },
  tokens: { label: "Most tokens", sort: "tokens", order: "desc" },
  cost: { label: "Highest cost", sort: "cost", order: "desc" },
  duration: { label: "Longest", sort: "duration", order: "desc" },
} as const;

export const sortChoices = Object.entries(sorts)
  .filter(([value]) => value !== "")
  .map(([value, { label }]) => ({ value, label }));

export const NEWEST = sorts[""].label;

const isSort = (text: string): text is keyof typeof sorts => Object.hasOwn(sorts, text);

export const question = ({ sort, search, status, tag }: SessionFilters, from: number | null): string => {
  const { label: _, ...asked } = sorts[isSort(sort) ? sort : ""];
  return queryString({ search, status, tag, from, ...asked });
};

/** The sessions that are picked to be compared, as the address has them. */
export const picks = (text: string): string[] => [...new Set(text.split(",").filter(Boolean))];

/** So many fit beside each other. */
export const MOST_COMPARED = 4;
