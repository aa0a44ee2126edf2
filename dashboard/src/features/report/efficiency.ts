/**
 * An efficiency's parts in words. Pure.
 */
import type { EfficiencyPart, EfficiencyPartView } from "@/api/types.gen";
import { money, UNKNOWN } from "@/shared/format";

export const partText: Record<EfficiencyPart, { label: string; about: string }> = {
  cacheHits: { label: "Cache hits", about: "how much of its prompts a cache served" },
  waste: { label: "Waste", about: "tokens of calls that failed or were aborted" },
  repeats: { label: "Repeats", about: "calls that repeated a failed one, or each other in a loop" },
  outputPerInput: { label: "Output per input", about: "tokens generated for each prompt token sent anew" },
  costPerCheckpoint: { label: "Cost per checkpoint", about: "what it cost from one checkpoint to the next" },
};

/** A part's number as it is read: `73.5 %`, `$0.42`. */
export const partNumber = (value: number | null, unit: EfficiencyPartView["unit"]): string => {
  if (value === null) return UNKNOWN;
  return unit === "nanoUsd" ? money(value) : `${Number((value / 10).toFixed(1))}\u00a0%`;
};

/** `0 points at 0 %, 100 at 90 %` */
export const scaleText = ({ noPointsAt, fullPointsAt, unit }: EfficiencyPartView): string =>
  noPointsAt === null || fullPointsAt === null
    ? ""
    : `0 points at ${partNumber(noPointsAt, unit)}, 100 at ${partNumber(fullPointsAt, unit)}`;
