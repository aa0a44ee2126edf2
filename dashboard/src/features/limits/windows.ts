/**
 * A provider's windows as they are told. Pure: the moment is an argument.
 */
import type { LimitsView, WindowView } from "@/api/types.gen";
import { compact, plural, span } from "@/shared/format";
import { budgetLevel } from "@/shared/session/budget";

/** How near its end a window is; a word of its own for each. */
export type Level = "fine" | "near" | "nearly" | "spent" | "unknown";

export const levelWord: Record<Level, string> = {
  fine: "Room left",
  near: "Getting near",
  nearly: "Nearly used up",
  spent: "Used up",
  unknown: "Not known",
};

/**
 * The provider's own word counts first, then the shares at which the server alerts. What has begun anew is not known
 * until the next reply tells.
 */
export const levelOf = (
  { status, usedPermille, stale, resetsAt }: WindowView,
  now: number,
  alertAt: readonly number[],
): Level => {
  if (stale || (resetsAt !== null && resetsAt <= now)) return "unknown";
  if (status === "rejected" || (usedPermille ?? 0) >= 1_000) return "spent";
  if (usedPermille === null) return status === "warning" ? "near" : "unknown";
  const level = budgetLevel(usedPermille, 1_000, alertAt);
  if (level === "critical") return "nearly";
  return level === "near" || status === "warning" ? "near" : "fine";
};

const DAY = 24 * 60 * 60_000;

/** `12,400 of 50,000 tokens left`; nothing where the provider tells a share only. */
export const leftText = ({ kind, limit, remaining }: WindowView): string | null => {
  const unit = units[kind] ?? "";
  if (limit === null || remaining === null) return null;
  return `${compact(remaining)} of ${compact(limit)}${unit && ` ${unit}`} left`;
};

const units: Partial<Record<WindowView["kind"], string>> = {
  requests: "requests",
  tokens: "tokens",
  input_tokens: "input tokens",
  output_tokens: "output tokens",
  images: "images",
};

/** What a card of windows is headed with. A key is told by the beginning of its fingerprint. */
export const keyText = ({ credential }: LimitsView): string =>
  credential === null ? "no key named" : `key ${credential.slice(0, 6)}`;

/** `updated 12 s ago`, as coarse as it matters. */
export const toldAgo = (seenAt: number, now: number): string => {
  const ms = Math.max(0, now - seenAt);
  if (ms < 60_000) return "updated just now";
  if (ms < 2 * DAY) return `updated ${span(ms)} ago`;
  return `updated ${plural(Math.floor(ms / DAY), "day")} ago`;
};
