/**
 * The user's own prices, as the settings tell them and as they are sent back. Pure.
 */
import type { SettingView } from "@/api/types.gen";

/** What can be priced: dollars for a million tokens, but for a request. */
export const RATES = [
  { key: "input", label: "Input" },
  { key: "output", label: "Output" },
  { key: "cache_read", label: "Cache read" },
  { key: "cache_write", label: "Cache write" },
  { key: "cache_write_1h", label: "Cache write, 1 hour" },
  { key: "reasoning", label: "Reasoning" },
  { key: "audio_input", label: "Audio in" },
  { key: "audio_output", label: "Audio out" },
  { key: "request", label: "Each request" },
] as const;

const FIELDS = ["model", "provider", "from", ...RATES.map(({ key }) => key)] as const;
export type PriceField = (typeof FIELDS)[number];

/** A price as it was written; what was left out is not there. */
export type OwnPrice = { [Field in PriceField]?: string };

/** The field that `setting`, as a problem names it, is of. */
export const priceField = (setting: string | undefined): PriceField | undefined =>
  FIELDS.find((field) => setting?.replace(/^prices(\[\d+\])?\./, "") === field);

const isTable = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** In the order of the file: the first that fits a call holds. */
export const ownPrices = (settings: readonly SettingView[]): OwnPrice[] =>
  settings.flatMap(({ name, value }) =>
    /^prices\[\d+\]$/.test(name) && isTable(value) ? [priceOf((field) => value[field])] : [],
  );

/** What was typed; what was left empty is left out. */
export const typedPrice = (form: FormData): OwnPrice =>
  priceOf((field) => {
    const typed = form.get(field);
    return typeof typed === "string" ? typed.trim().replace(/^\$\s*/, "") : undefined;
  });

const priceOf = (written: (field: PriceField) => unknown): OwnPrice => {
  const price: OwnPrice = {};
  for (const field of FIELDS) {
    const value = written(field);
    const text = typeof value === "string" || typeof value === "number" ? String(value) : "";
    if (text !== "") price[field] = text;
  }
  return price;
};
