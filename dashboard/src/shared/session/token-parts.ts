/**
 * The parts of a sum of tokens in the order they are drawn: what the prompt was, then what was generated.
 */
import type { Totals } from "@/api/types.gen";

export type PartKey = "cacheRead" | "cacheWrite" | "input" | "output" | "reasoning";
export type TokenPart = { key: PartKey; label: string; tokens: number };

export const tokenParts = (totals: Totals): TokenPart[] => [
  { key: "cacheRead", label: "Cache read", tokens: totals.cacheRead },
  { key: "cacheWrite", label: "Cache write", tokens: totals.cacheWrite },
  { key: "input", label: "Input", tokens: totals.input },
  { key: "output", label: "Output", tokens: Math.max(0, totals.output - totals.reasoning) },
  { key: "reasoning", label: "Reasoning", tokens: totals.reasoning },
];

/** Every token that was part of a prompt. */
export const promptTokens = (totals: Totals): number => totals.input + totals.cacheRead + totals.cacheWrite;
