/**
 * The zones that can be chosen. Pure, but for what the browser knows.
 */
import { isZone, zoneName } from "@/shared/zone";

export type Zone = {
  /** IANA's. */
  name: string;
  /** `India Standard Time` */
  called: string;
};

/** Places that browsers still list by an older name than the one people look for. */
const RENAMED: Record<string, string> = {
  "Africa/Asmera": "Africa/Asmara",
  "America/Buenos_Aires": "America/Argentina/Buenos_Aires",
  "America/Godthab": "America/Nuuk",
  "Asia/Calcutta": "Asia/Kolkata",
  "Asia/Katmandu": "Asia/Kathmandu",
  "Asia/Rangoon": "Asia/Yangon",
  "Asia/Saigon": "Asia/Ho_Chi_Minh",
  "Atlantic/Faeroe": "Atlantic/Faroe",
  "Europe/Kiev": "Europe/Kyiv",
  "Pacific/Enderbury": "Pacific/Kanton",
};

const partOf = (name: string, timeZoneName: "longGeneric" | "shortOffset", at: number): string => {
  const parts = new Intl.DateTimeFormat("en-GB", { timeZone: name, timeZoneName }).formatToParts(at);
  return parts.find(({ type }) => type === "timeZoneName")?.value ?? "";
};

/** `GMT+5:30` at that moment. */
export const offsetText = (name: string, at: number): string => partOf(name, "shortOffset", at);

/** All zones of this browser, by name. */
export const allZones = (at: number): Zone[] => {
  const names = Intl.supportedValuesOf("timeZone").map((name) => {
    const now = RENAMED[name];
    return now && isZone(now) ? now : name;
  });
  return [...new Set(["UTC", ...names])]
    .sort()
    .map((name) => ({ name, called: partOf(name, "longGeneric", at) }));
};

/** Those that have each word of `typed` in them. */
export const zonesWith = (zones: readonly Zone[], typed: string): Zone[] => {
  const words = typed
    .toLowerCase()
    .split(/[\s/_]+/)
    .filter(Boolean);
  return zones.filter(({ name, called }) => {
    const text = `${zoneName(name)} ${called}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
};
