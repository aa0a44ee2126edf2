import { describe, expect, it } from "vitest";
import { allZones, offsetText, zonesWith } from "@/features/settings/zones";

const now = Date.UTC(2026, 10, 22);
const zones = allZones(now);
const found = (typed: string): string[] => zonesWith(zones, typed).map(({ name }) => name);

describe("zones", () => {
  it("are all there are, once, by the names that people look for", () => {
    expect(zones.length).toBeGreaterThan(400);
    expect(new Set(zones.map(({ name }) => name)).size).toBe(zones.length);
    expect(found("kolkata")).toEqual(["Asia/Kolkata"]);
    expect(found("UTC")).toContain("UTC");
  });

  it("are found by words, in any order, of their name or of what they are called", () => {
    expect(found("new york")).toEqual(["America/New_York"]);
    expect(found("york america/new_")).toEqual(["America/New_York"]);
    expect(found("india standard")).toContain("Asia/Kolkata");
    expect(found("atlantis")).toEqual([]);
    expect(found("")).toHaveLength(zones.length);
  });

  it("say how far they are from UTC", () => {
    expect(offsetText("Asia/Kathmandu", now)).toBe("GMT+5:45");
    expect(offsetText("Europe/Berlin", Date.UTC(2026, 6, 1))).toBe("GMT+2");
  });
});
