/**
 * The one place where numbers become text. What is not known is "—", never 0.
 */
import { inZone } from "@/shared/zone";

/** No-break space: a number and its unit stay on one line. */
const SPACE = "\u00a0";
export const UNKNOWN = "—";

const whole = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
const dollars = new Intl.NumberFormat("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 });

/** `12,345` */
export const count = (value: number | null): string => (value === null ? UNKNOWN : whole.format(value));

/** `987`, `12.3k`, `1.2M`: cut down, not up, so that a budget never reads as spent before it is. */
export const compact = (value: number | null): string => {
  if (value === null) return UNKNOWN;
  if (value < 1_000) return whole.format(value);
  for (const [unit, suffix] of [
    [1e9, "B"],
    [1e6, "M"],
  ] as const) {
    if (value >= unit) return `${cut(value / unit)}${suffix}`;
  }
  return `${cut(value / 1_000)}k`;
};

const cut = (value: number): string => {
  const digits = value < 100 ? 1 : 0;
  return (Math.floor(value * 10 ** digits) / 10 ** digits).toFixed(digits).replace(/\.0$/, "");
};

/** `812 B`, `4.8 MB`, `1.2 GB` */
export const bytes = (value: number): string => {
  for (const [unit, suffix] of [
    [1e9, "GB"],
    [1e6, "MB"],
    [1e3, "kB"],
  ] as const) {
    if (value >= unit) return `${cut(value / unit)}${SPACE}${suffix}`;
  }
  return `${value}${SPACE}B`;
};

/** `$1.23`, `$0.034`, `<$0.0001` from billionths of a dollar. */
export const money = (nanoUsd: number | null): string => {
  if (nanoUsd === null) return UNKNOWN;
  if (nanoUsd < 0) return `−${money(-nanoUsd)}`;
  const usd = nanoUsd / 1e9;
  if (usd === 0 || usd >= 0.1) return `$${dollars.format(usd)}`;
  if (usd < 0.0001) return "<$0.0001";
  return `$${usd.toFixed(usd >= 0.01 ? 3 : 4)}`;
};

/** `8 %`; what is neither nothing nor all never reads as either. */
export const percent = (part: number, all: number): string => {
  if (all <= 0) return UNKNOWN;
  const share = (part / all) * 100;
  if (share > 0 && share < 1) return `<1${SPACE}%`;
  if (share > 99 && share < 100) return `>99${SPACE}%`;
  return `${Math.round(share)}${SPACE}%`;
};

/** `02:14:37` and `.482`, apart, because they are drawn apart. */
export const clock = (ms: number): { main: string; fraction: string } => {
  const all = Math.max(0, Math.floor(ms));
  const seconds = Math.floor(all / 1_000);
  const main = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60, seconds % 60].map(two).join(":");
  return { main, fraction: `.${String(all % 1_000).padStart(3, "0")}` };
};

const two = (value: number): string => String(value).padStart(2, "0");

/** `<1 ms`, `820 ms`, `3.2 s`, `1 min 04 s` */
export const latency = (ms: number | null): string => {
  if (ms === null) return UNKNOWN;
  if (ms < 1) return `<1${SPACE}ms`;
  if (ms < 1_000) return `${Math.round(ms)}${SPACE}ms`;
  return ms < 60_000
    ? seconds(ms)
    : `${Math.floor(ms / 60_000)}${SPACE}min${SPACE}${two(Math.floor(ms / 1_000) % 60)}${SPACE}s`;
};

/** `3.2 s`, for a time that is still growing. */
export const seconds = (ms: number): string =>
  `${(Math.floor(Math.max(0, ms) / 100) / 10).toFixed(1)}${SPACE}s`;

/** `2 h 05 min`, `45 min`, `30 s` */
export const span = (ms: number): string => {
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 1) return `${Math.floor(ms / 1_000)}${SPACE}s`;
  if (minutes < 60) return `${minutes}${SPACE}min`;
  const rest = minutes % 60;
  return `${Math.floor(minutes / 60)}${SPACE}h${rest === 0 ? "" : `${SPACE}${two(rest)}${SPACE}min`}`;
};

/** Which way a rough number is rounded: a range outward, so that it says no less than it knows. */
export type Rounding = "down" | "near" | "up";

const rounded = (value: number, rounding: Rounding): number =>
  ({ down: Math.floor, near: Math.round, up: Math.ceil })[rounding](value);

/** To two significant figures: what is foretold is known no better. */
export const rough = (value: number, rounding: Rounding): number => {
  if (value < 100) return rounded(value, rounding);
  const step = 10 ** (Math.floor(Math.log10(value)) - 1);
  return rounded(value / step, rounding) * step;
};

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** A foretold time: to the minute, and from an hour on to five. */
export const roughSpan = (ms: number, rounding: Rounding): string => {
  const step = ms < HOUR_MS ? MINUTE_MS : 5 * MINUTE_MS;
  const shown = rounded(ms / step, rounding) * step;
  return shown === 0 ? `<1${SPACE}min` : span(shown);
};

/** `2 d 8 h`, `1 h 36 min`, `12:05`: how long until something resets. */
export const countdown = (ms: number): string => {
  const hours = Math.floor(ms / HOUR_MS);
  if (hours >= 48) return `${Math.floor(hours / 24)}${SPACE}d${SPACE}${hours % 24}${SPACE}h`;
  return hours >= 1 ? span(ms) : clock(ms).main.slice(3);
};

/** `10:41` in the viewer's zone. */
export const time = inZone({ hour: "2-digit", minute: "2-digit" });

/** `10:41:07` in the viewer's zone. */
export const exactTime = inZone({ hour: "2-digit", minute: "2-digit", second: "2-digit" });

/** `21 Nov` in the viewer's zone. */
export const date = inZone({ day: "numeric", month: "short" });

/** `22 Nov 2026` in the viewer's zone. */
export const fullDate = inZone({ day: "numeric", month: "short", year: "numeric" });

/** `Today 10:41`, `21 Nov 10:41` */
export const day = (at: number, now: number): string =>
  `${fullDate(at) === fullDate(now) ? "Today" : date(at)} ${time(at)}`;

/** `Nov 2026` in the viewer's zone. */
export const month = inZone({ month: "short", year: "numeric" });

/** `1 call`, `12 calls` */
export const plural = (value: number, one: string, many = `${one}s`): string =>
  `${whole.format(value)}${SPACE}${value === 1 ? one : many}`;
