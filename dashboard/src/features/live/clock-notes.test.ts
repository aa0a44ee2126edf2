import { describe, expect, it } from "vitest";
import type { ClockEvent } from "@/api/types.gen";
import { newestNote, noteText } from "@/features/live/clock-notes";

const event = (
  kind: ClockEvent["kind"],
  ms: number | null,
  change: Partial<ClockEvent> = {},
): ClockEvent => ({
  seq: 2,
  kind,
  at: 1_000,
  ms,
  undone: false,
  countable: true,
  ...change,
});

const plain = (text: string | null | undefined): string | undefined => text?.replaceAll("\u00a0", " ");

describe("what happened to a clock", () => {
  it.each([
    [event("recovered", 3_400), "Moonlock was not running: 3 s not counted; paused"],
    [event("suspended", 3_900_000), "The machine slept: 1 h 05 min not counted; paused"],
    [event("stalled", 45_000, { undone: true }), "Moonlock was stalled: 45 s counted after all"],
    [event("rebooted", 600_000), "The machine was restarted: 10 min not counted; paused"],
    [event("slept_through", 60_000), "The machine slept: 1 min counted"],
    [event("clock_jumped", -3_600_000), "The machine's clock was set back by 1 h; the timer is unchanged"],
    [event("trimmed", 120_000), "2 min taken out"],
  ])("reads as a sentence: %o", (told, expected) => {
    expect(plain(noteText(told))).toBe(expected);
  });

  it("tells the newest that is worth a line", () => {
    expect(newestNote([])).toBeNull();
    const told = [event("recovered", 1_000), event("trimmed", 5_000, { seq: 3, undone: true })];
    expect(newestNote(told)?.event.seq).toBe(2);
  });
});
