/**
 * What a person types into a form, turned into what the API takes.
 */

/** `problem` is a sentence for the person. An empty field is `null`: open-ended, or no budget. */
export type Parsed = { value: number | null } | { problem: string };

const MINUTE = 60_000;
const LONGEST = 5 * 60 * MINUTE;

/** `2h`, `45m`, `1h30`, `1h 30m`, `1.5h`, `1:30`; a bare number is minutes. */
export const parseDuration = (text: string): Parsed => {
  const typed = text.trim().toLowerCase();
  if (typed === "") return { value: null };
  const minutes = clockMinutes(typed) ?? unitMinutes(typed);
  if (minutes === null) return { problem: "Write it like 45m, 2h or 1h30." };
  const value = Math.round(minutes * MINUTE);
  if (value < MINUTE) return { problem: "One minute at least." };
  return value > LONGEST ? { problem: "Five hours at most." } : { value };
};

const clockMinutes = (typed: string): number | null => {
  const match = /^(\d{1,2}):([0-5]\d)$/.exec(typed);
  return match ? Number(match[1]) * 60 + Number(match[2]) : null;
};

const unitMinutes = (typed: string): number | null => {
  const match =
    /^(?:(\d+(?:\.\d+)?)\s*h(?:ours?|rs?)?)?\s*(?:(\d+(?:\.\d+)?)\s*(?:m(?:in(?:ute)?s?)?)?)?$/.exec(typed);
  if (!match || (match[1] === undefined && match[2] === undefined)) return null;
  return Number(match[1] ?? 0) * 60 + Number(match[2] ?? 0);
};

const SCALE: Record<string, number> = { "": 1, k: 1e3, m: 1e6, b: 1e9 };

/** `500k`, `1.5M`, `500,000`, `500 000` */
export const parseBudget = (text: string): Parsed => {
  const typed = text
    .trim()
    .toLowerCase()
    .replace(/tok(en)?s?$/, "")
    .replace(/[\s_]|,(?=\d{3})/g, "");
  if (typed === "") return { value: null };
  const match = /^(\d+(?:\.\d+)?)([kmb]?)$/.exec(typed);
  const scale = SCALE[match?.[2] ?? ""];
  if (!match || scale === undefined) return { problem: "Write it like 500k or 1.5M." };
  const value = Math.round(Number(match[1]) * scale);
  if (value < 1) return { problem: "One token at least." };
  return value > Number.MAX_SAFE_INTEGER ? { problem: "That is more than can be counted." } : { value };
};

/** `$5`, `12.50`, `1,000`: dollars, as billionths of one. */
export const parseMoney = (text: string): Parsed => {
  const typed = text
    .trim()
    .replace(/^\$\s*|\s*(?:usd|\$)$/gi, "")
    .replace(/,(?=\d{3})/g, "");
  if (typed === "") return { value: null };
  if (!/^\d+(?:\.\d+)?$/.test(typed)) return { problem: "Write it like $5 or 12.50." };
  const value = Math.round(Number(typed) * 1e9);
  if (value < 1) return { problem: "More than nothing." };
  return value > Number.MAX_SAFE_INTEGER ? { problem: "That is more than can be counted." } : { value };
};
