import { afterEach, describe, expect, it } from "vitest";
import { chooseZone, inZone, isZone, midnight, momentOf, wallAt, zone } from "@/shared/zone";

afterEach(() => chooseZone(null));

const at = (text: string): number => Date.parse(text);

describe("a zone", () => {
  it("is the browser's own until one is chosen", () => {
    expect(zone()).toBe("UTC");
    chooseZone("Asia/Kathmandu");
    expect(zone()).toBe("Asia/Kathmandu");
  });

  it("is written in from then on", () => {
    const write = inZone({ hour: "2-digit", minute: "2-digit" });
    expect(write(at("2026-11-22T18:30:00Z"))).toBe("18:30");
    chooseZone("Asia/Kathmandu");
    expect(write(at("2026-11-22T18:30:00Z"))).toBe("00:15");
  });

  it("has a name that is known", () => {
    expect(isZone("America/New_York")).toBe(true);
    expect(isZone("Mars/Olympus_Mons")).toBe(false);
    expect(isZone("")).toBe(false);
  });
});

describe("a day", () => {
  it.each([
    ["UTC", "2026-11-22T00:00:00Z"],
    ["Asia/Kathmandu", "2026-11-22T18:15:00Z"],
    ["Pacific/Kiritimati", "2026-11-22T10:00:00Z"],
    ["Pacific/Pago_Pago", "2026-11-22T11:00:00Z"],
    ["America/New_York", "2026-11-22T05:00:00Z"],
  ])("begins at midnight in %s", (name, begins) => {
    chooseZone(name);
    expect(midnight(at("2026-11-22T20:00:00Z"))).toBe(at(begins));
  });

  it("is as long as the clocks make it", () => {
    chooseZone("Europe/Berlin");
    const hours = (noon: string) => (midnight(at(noon), 1) - midnight(at(noon))) / 3_600_000;
    expect(hours("2026-03-29T10:00:00Z")).toBe(23);
    expect(hours("2026-10-25T10:00:00Z")).toBe(25);
    chooseZone("Australia/Lord_Howe");
    expect(hours("2026-10-04T01:00:00Z")).toBe(23.5);
  });

  it("begins when its clocks do where they skip midnight, and at the first of two", () => {
    chooseZone("Africa/Cairo");
    expect(midnight(at("2026-04-24T10:00:00Z"))).toBe(at("2026-04-23T22:00:00Z"));
    chooseZone("America/Havana");
    expect(midnight(at("2026-11-01T15:00:00Z"))).toBe(at("2026-11-01T04:00:00Z"));
  });
});

describe("what clocks show", () => {
  it.each(["UTC", "Asia/Kolkata", "Australia/Lord_Howe", "America/St_Johns", "Europe/Dublin"])(
    "leads back to its moment in %s",
    (name) => {
      chooseZone(name);
      const begins = at("2026-01-01T00:00:07Z");
      // A step that meets every hour of the day, and is not within an hour that clocks show twice.
      for (let day = 0; day < 365; day += 1) {
        const moment = begins + day * 25 * 3_600_000;
        const again = momentOf(wallAt(moment));
        expect([moment, moment - 3_600_000, moment - 1_800_000]).toContain(again);
        expect(wallAt(again)).toEqual(wallAt(moment));
      }
    },
  );

  it("may run over the end of a year", () => {
    chooseZone("Asia/Tokyo");
    expect(momentOf({ year: 2026, month: 13, day: 1 })).toBe(at("2026-12-31T15:00:00Z"));
  });
});
