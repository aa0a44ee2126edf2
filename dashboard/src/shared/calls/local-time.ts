/**
 * Moments as `<input type="datetime-local">` has them: in the viewer's zone, to the second.
 */

const two = (value: number): string => String(value).padStart(2, "0");

export const localText = (at: number): string => {
  const date = new Date(at);
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join("-");
  return `${day}T${[date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(":")}`;
};

/** `null` where nothing whole was typed. */
export const fromLocalText = (text: string): number | null => {
  const at = new Date(text).getTime();
  return Number.isNaN(at) ? null : at;
};

export type Range = { from: number; to: number };

/** `problem` is a sentence for the person. */
export const rangeOf = (form: FormData): Range | { problem: string } => {
  const moment = (name: string): number | null => fromLocalText(String(form.get(name) ?? ""));
  const [from, to] = [moment("from"), moment("to")];
  if (from === null || to === null) return { problem: "Give both a beginning and an end." };
  return from < to ? { from, to } : { problem: "The beginning has to lie before the end." };
};
