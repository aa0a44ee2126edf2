import { describe, expect, it } from "vitest";
import type { WindowView } from "@/api/types.gen";
import { leftText, levelOf, toldAgo } from "@/features/limits/windows";
import { countdown } from "@/shared/format";

const NOW = 10_000_000_000;
const MINUTE = 60_000;
const window: WindowView = {
  name: "tokens",
  kind: "tokens",
  periodMs: MINUTE,
  limit: 50_000,
  remaining: 12_400,
  usedPermille: 752,
  status: null,
  deciding: false,
  resetsAt: NOW + MINUTE,
  seenAt: NOW,
  stale: false,
};

describe("how near its end a window is", () => {
  it.each([
    [{}, "fine"],
    [{ usedPermille: 800 }, "near"],
    [{ status: "warning" as const }, "near"],
    [{ usedPermille: 950 }, "nearly"],
    [{ usedPermille: 1_000 }, "spent"],
    [{ usedPermille: 100, status: "rejected" as const }, "spent"],
    [{ usedPermille: null }, "unknown"],
    [{ usedPermille: 990, stale: true }, "unknown"],
    [{ usedPermille: 990, resetsAt: NOW - 1 }, "unknown"],
  ])("with %o is %s", (change, level) => {
    expect(levelOf({ ...window, ...change }, NOW, [80, 95])).toBe(level);
  });
});

it.each([
  [5_000, "00:05"],
  [12 * MINUTE + 5_000, "12:05"],
  [96 * MINUTE, "1\u00a0h\u00a036\u00a0min"],
  [56 * 60 * MINUTE, "2\u00a0d\u00a08\u00a0h"],
])("counts %d ms down as %s", (ms, text) => {
  expect(countdown(ms)).toBe(text);
});

it("says what is left only where it is known", () => {
  expect(leftText(window)).toBe("12.4k of 50k tokens left");
  expect(leftText({ ...window, limit: null })).toBeNull();
});

it("says when it was told", () => {
  expect(toldAgo(NOW - 5_000, NOW)).toBe("updated just now");
  expect(toldAgo(NOW - 3 * MINUTE, NOW)).toBe("updated 3\u00a0min ago");
  expect(toldAgo(NOW - 72 * 60 * MINUTE, NOW)).toBe("updated 3\u00a0days ago");
});
