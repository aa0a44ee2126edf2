/**
 * The zone that times are written in and days are cut in: the browser's own, or the one that a person chose. There is
 * one for the whole page, as there is for a browser; whoever keeps the choice sets it here.
 */

let chosen: string | null = null;

/** `null` is the browser's own. */
export const chooseZone = (name: string | null): void => {
  chosen = name;
  offsets.clear();
};

export const browserZone = (): string => Intl.DateTimeFormat().resolvedOptions().timeZone;

/** Its IANA name: `Europe/Berlin`. */
export const zone = (): string => chosen ?? browserZone();

/** `Europe/Berlin`, `America/New York`: to be read. */
export const zoneName = (name: string): string => name.replaceAll("_", " ");

export const isZone = (name: string): boolean => {
  try {
    new Intl.DateTimeFormat("en-GB", { timeZone: name });
    return true;
  } catch {
    return false;
  }
};

/** Writes moments in the zone that holds when it is called. */
export const inZone = (options: Intl.DateTimeFormatOptions): ((at: number) => string) => {
  let made: { name: string | null; format: Intl.DateTimeFormat } | undefined;
  return (at) => {
    if (made?.name !== chosen) {
      const timeZone = chosen ?? undefined;
      made = { name: chosen, format: new Intl.DateTimeFormat("en-GB", { ...options, timeZone }) };
    }
    return made.format.format(at);
  };
};

/** What a clock and a calendar show. The month is 1 to 12. */
export type Wall = {
  year: number;
  month: number;
  day: number;
  hour: number;
  minute: number;
  second: number;
};

const QUARTER_MS = 15 * 60_000;
const DAY_MS = 24 * 60 * 60_000;

/** By quarters of an hour, within which no zone changes its clocks. A page asks for the same few thousands. */
const offsets = new Map<number, number>();
const MOST_OFFSETS = 20_000;

const numeric = inZone({
  year: "numeric",
  month: "2-digit",
  day: "2-digit",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hourCycle: "h23",
});

/** How far the zone's clocks are ahead of UTC, in milliseconds. */
const offsetAt = (at: number): number => {
  const quarter = Math.floor(at / QUARTER_MS);
  const known = offsets.get(quarter);
  if (known !== undefined) return known;
  const whole = quarter * QUARTER_MS;
  const [day = 0, month = 0, year = 0, hour = 0, minute = 0, second = 0] = (
    numeric(whole).match(/\d+/g) ?? []
  ).map(Number);
  const offset = Date.UTC(year, month - 1, day, hour, minute, second) - whole;
  if (offsets.size >= MOST_OFFSETS) offsets.clear();
  offsets.set(quarter, offset);
  return offset;
};

export const wallAt = (at: number): Wall => {
  const shown = new Date(at + offsetAt(at));
  return {
    year: shown.getUTCFullYear(),
    month: shown.getUTCMonth() + 1,
    day: shown.getUTCDate(),
    hour: shown.getUTCHours(),
    minute: shown.getUTCMinutes(),
    second: shown.getUTCSeconds(),
  };
};

/**
 * The moment at which the zone's clocks show this; a month or day beyond its end runs into the next. The first of two,
 * where clocks are set back; where they skip it, as much later as they skip.
 */
export const momentOf = ({ year, month, day, hour = 0, minute = 0, second = 0 }: WallText): number => {
  const shown = Date.UTC(year, month - 1, day, hour, minute, second);
  const [before, after] = [offsetAt(shown - DAY_MS), offsetAt(shown + DAY_MS)];
  const found = [before, after].find((offset) => offsetAt(shown - offset) === offset);
  return shown - (found ?? before);
};

type WallText = Pick<Wall, "year" | "month" | "day"> & Partial<Wall>;

/** Midnight, `days` days after that of the day of `at`. */
export const midnight = (at: number, days = 0): number => {
  const { year, month, day } = wallAt(at);
  return momentOf({ year, month, day: day + days });
};
