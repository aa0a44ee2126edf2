/**
 * The user's own prices, as the settings tell them. Pure.
 */
import type { SettingView } from "@/api/types.gen";
import { UNKNOWN } from "@/shared/format";

export type OwnPrice = {
  key: string;
  model: string;
  /** The mount that it holds for. */
  provider: string;
  /** The first day on which it holds. */
  from: string;
  /** Dollars for a million tokens, as they were written. */
  input: string;
  cacheRead: string;
  output: string;
};

const isTable = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const text = (value: unknown, otherwise: string): string =>
  typeof value === "string" || typeof value === "number" ? String(value) : otherwise;

const dollars = (value: unknown): string => {
  const written = text(value, "");
  return written === "" ? UNKNOWN : `$${written}`;
};

/** In the order of the file: the first that fits a call holds. */
export const ownPrices = (settings: readonly SettingView[]): OwnPrice[] =>
  settings.flatMap(({ name, value }) =>
    /^prices\[\d+\]$/.test(name) && isTable(value)
      ? [
          {
            key: name,
            model: text(value["model"], UNKNOWN),
            provider: text(value["provider"], "every provider"),
            from: text(value["from"], "always"),
            input: dollars(value["input"]),
            cacheRead: dollars(value["cache_read"]),
            output: dollars(value["output"]),
          },
        ]
      : [],
  );
