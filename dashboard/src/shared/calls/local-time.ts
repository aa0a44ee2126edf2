/**
 * Moments as `<input type="datetime-local">` has them: in the viewer's zone, to the second.
 */
import { momentOf, wallAt } from "@/shared/zone";

const two = (value: number): string => String(value).padStart(2, "0");

export const localText = (at: number): string => {
  const { year, month, day, hour, minute, second } = wallAt(at);
  return `${[year, two(month), two(day)].join("-")}T${[hour, minute, second].map(two).join(":")}`;
};

/** `null` where nothing whole was typed. */
export const fromLocalText = (text: string): number | null => {
  // A browser leaves out the seconds where they are none.
  const parts = /^(\d{4,6})-(\d{2})-(\d{2})T(\d{2}):(\d{2})(?::(\d{2}))?/.exec(text)?.slice(1);
  if (!parts) return null;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts.map((part) =>
    Number(part ?? 0),
  );
  return momentOf({ year, month, day, hour, minute, second });
};

export type Range = { from: number; to: number };

/** `problem` is a sentence for the person. */
export const rangeOf = (form: FormData): Range | { problem: string } => {
  const moment = (name: string): number | null => fromLocalText(String(form.get(name) ?? ""));
  const [from, to] = [moment("from"), moment("to")];
  if (from === null || to === null) return { problem: "Give both a beginning and an end." };
  return from < to ? { from, to } : { problem: "The beginning has to lie before the end." };
};
