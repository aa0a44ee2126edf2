/**
 * What a person can write about a session, as text in fields, and what of it has changed.
 */
import type { SessionView } from "@/api/types.gen";
import type { SessionEdit } from "@/shared/api-client";
import { parseBudget, parseDuration } from "@/shared/parse";

export type SessionTexts = Record<"name" | "duration" | "tokenBudget" | "tags" | "note", string>;
export type TextProblems = Partial<Record<keyof SessionTexts, string>>;

const MINUTE = 60_000;

/** `45m`, `2h`, `1h30`: as it can be typed. */
const durationText = (ms: number): string => {
  const minutes = Math.floor(ms / MINUTE);
  if (minutes < 60) return `${minutes}m`;
  const rest = minutes % 60;
  return `${Math.floor(minutes / 60)}h${rest === 0 ? "" : String(rest).padStart(2, "0")}`;
};

export const textsOf = (view: SessionView): SessionTexts => ({
  name: view.name,
  duration: view.duration === null ? "" : durationText(view.duration),
  tokenBudget: view.tokenBudget === null ? "" : String(view.tokenBudget),
  tags: view.tags.join(", "),
  // As a field writes the ends of lines: what is not touched is not changed.
  note: view.note?.replaceAll(/\r\n?/g, "\n") ?? "",
});

const tagsOf = (text: string): string[] =>
  text
    .split(",")
    .map((tag) => tag.trim())
    .filter((tag) => tag !== "");

/** Only what was changed: what another tab says of the rest stays. */
export const changeOf = (
  before: SessionTexts,
  typed: SessionTexts,
): { change: SessionEdit } | { problems: TextProblems } => {
  const change: SessionEdit = {};
  const changed = (field: keyof SessionTexts): boolean => typed[field].trim() !== before[field].trim();
  if (changed("name")) {
    const name = typed.name.trim();
    if (name === "") return { problems: { name: "Give it a name, so that you find it again." } };
    change.name = name;
  }
  if (changed("duration")) {
    const duration = parseDuration(typed.duration);
    if ("problem" in duration) return { problems: { duration: duration.problem } };
    change.duration = duration.value;
  }
  if (changed("tokenBudget")) {
    const budget = parseBudget(typed.tokenBudget);
    if ("problem" in budget) return { problems: { tokenBudget: budget.problem } };
    change.tokenBudget = budget.value;
  }
  if (changed("tags")) change.tags = tagsOf(typed.tags);
  if (changed("note")) change.note = typed.note.trim() || null;
  return { change };
};
