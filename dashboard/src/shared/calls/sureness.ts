import type { EstimateView, IntervalView } from "@/api/types.gen";
import { count } from "@/shared/format";

/** How a number that was estimated is introduced: to the eye, and in words. */
export const sureness = ({ high }: IntervalView): { sign: string; word: string } =>
  high === null ? { sign: "≥", word: "at least" } : { sign: "≈", word: "about" };

const note = (side: string, interval: IntervalView | null): string[] => {
  if (interval === null) return [];
  const range =
    interval.high === null
      ? `${count(interval.low)} or more`
      : `${count(interval.low)} to ${count(interval.high)}`;
  return [`${side} estimated: ${range}`];
};

/** What is to be said of a call's estimated numbers, a line each. */
export const estimateNotes = (estimate: EstimateView | null): string[] =>
  estimate === null ? [] : [...note("in", estimate.input), ...note("out", estimate.output)];
