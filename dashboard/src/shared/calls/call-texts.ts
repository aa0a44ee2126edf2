/**
 * What is said of one call. Pure.
 */
import type { Attribution, CallDetail, CallParts, IntervalView, PriceSource } from "@/api/types.gen";
import { compact, count } from "@/shared/format";

export const attributionText: Record<Attribution, string> = {
  header: "Its x-moonlock-session header named the session.",
  path: "Its address named the session (/s/…).",
  conversation: "Its conversation belongs to the session.",
  active: "The session was the current one.",
  manual: "It was reported to the session.",
  moved: "It was moved there by hand.",
  unassigned: "No session was current, and it named none.",
};

export const priceText: Record<PriceSource, string> = {
  provider: "the provider said it",
  override: "your own price",
  catalog: "the list price",
};

type PartName = Exclude<keyof CallParts, "webSearches" | "providerCostNanoUsd">;

const partLabels: Record<PartName, string> = {
  input: "Input",
  cacheRead: "Cache read",
  cacheWrite5m: "Cache write, 5 min",
  cacheWrite1h: "Cache write, 1 h",
  audioIn: "Audio in",
  imageIn: "Images in",
  output: "Output",
  reasoning: "Reasoning",
  audioOut: "Audio out",
  imageOut: "Images out",
  unsplit: "Not split up",
};

export type PartRow = { name: PartName; label: string; tokens: number };

/** Zeros of these say something; that there was no sound and no image goes without saying. */
const ALWAYS: readonly PartName[] = ["input", "cacheRead", "output"];

/** The parts that are known, prompt first. */
export const partRows = (parts: CallParts): PartRow[] =>
  (Object.keys(partLabels) as PartName[]).flatMap((name) => {
    const tokens = parts[name];
    return tokens === undefined || (tokens === 0 && !ALWAYS.includes(name))
      ? []
      : [{ name, label: partLabels[name], tokens }];
  });

/** `between 1,100 and 1,400`, `at least 1,100` */
export const intervalText = ({ low, high }: IntervalView): string =>
  high === null ? `at least ${count(low)}` : `between ${count(low)} and ${count(high)}`;

/** How the time of a call was spent, in shares of the whole; `null` while it runs. */
export const waterfall = ({
  ttftMs,
  durationMs,
}: Pick<CallDetail, "ttftMs" | "durationMs">): {
  waitMs: number;
  streamMs: number;
  waitShare: number;
} | null => {
  if (durationMs === null) return null;
  const waitMs = Math.min(ttftMs ?? durationMs, durationMs);
  return { waitMs, streamMs: durationMs - waitMs, waitShare: durationMs === 0 ? 1 : waitMs / durationMs };
};

/** `41 tokens/s` of the time that it streamed; "" where that says nothing. */
export const speed = ({
  output,
  ttftMs,
  durationMs,
}: Pick<CallDetail, "output" | "ttftMs" | "durationMs">): string => {
  const streamed = ttftMs === null || durationMs === null ? 0 : durationMs - ttftMs;
  if (!output || streamed < 100) return "";
  return `${compact(Math.round(output / (streamed / 1_000)))} tokens/s`;
};
