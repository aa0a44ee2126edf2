/**
 * How long single calls are kept. Pure.
 */
export const SETTING = "store.keep_calls_days";

export const choices = [
  { value: "0", label: "For ever" },
  { value: "30", label: "30 days" },
  { value: "90", label: "90 days" },
  { value: "365", label: "1 year" },
  { value: "own", label: "Other" },
] as const;

export type Choice = (typeof choices)[number]["value"];

/** `null` days is for ever. */
export const choiceOf = (days: number | null): Choice =>
  choices.find(({ value }) => value === String(days ?? 0))?.value ?? "own";

/** What was typed, as days; `null` where it is no number of them. */
export const typedDays = (text: string): number | null => {
  const typed = text.trim();
  return /^\d{1,6}$/.test(typed) && Number(typed) > 0 ? Number(typed) : null;
};

const DAY_MS = 24 * 60 * 60_000;

type Kept = { keepCallsDays: number | null; oldestCallAt: number | null };

/**
 * The moment before which calls would be deleted that are kept so far; `null` where none would. Days are the whole
 * 24 hours that the server counts.
 */
export const cutBy = (days: number, { keepCallsDays, oldestCallAt }: Kept, now: number): number | null => {
  if (days === 0 || oldestCallAt === null) return null;
  const cut = now - days * DAY_MS;
  const isShorter = keepCallsDays === null || days < keepCallsDays;
  return isShorter && oldestCallAt < cut ? cut : null;
};
