import { describe, expect, it } from "vitest";
import { choiceOf, cutBy, typedDays } from "@/features/settings/retention";

const DAY = 24 * 60 * 60_000;
const now = Date.UTC(2026, 10, 22, 12);
const old = now - 100 * DAY;

describe("how long calls are kept", () => {
  it.each([
    [null, "0"],
    [30, "30"],
    [365, "365"],
    [45, "own"],
  ])("%s days is the choice %s", (days, choice) => expect(choiceOf(days)).toBe(choice));

  it.each([
    ["45", 45],
    [" 7 ", 7],
    ["0", null],
    ["-3", null],
    ["1.5", null],
    ["a month", null],
    ["", null],
  ])("%j typed is %s", (text, days) => expect(typedDays(text)).toBe(days));
});

describe("a shorter time", () => {
  it("deletes calls from before it", () => {
    expect(cutBy(30, { keepCallsDays: null, oldestCallAt: old }, now)).toBe(now - 30 * DAY);
    expect(cutBy(30, { keepCallsDays: 365, oldestCallAt: old }, now)).toBe(now - 30 * DAY);
  });

  it.each([
    ["there is none so old", 365, { keepCallsDays: null, oldestCallAt: old }],
    ["there is none", 30, { keepCallsDays: null, oldestCallAt: null }],
    ["it is longer", 90, { keepCallsDays: 30, oldestCallAt: old }],
    ["it is for ever", 0, { keepCallsDays: 30, oldestCallAt: old }],
  ])("deletes nothing where %s", (_, days, kept) => expect(cutBy(days, kept, now)).toBeNull());
});
