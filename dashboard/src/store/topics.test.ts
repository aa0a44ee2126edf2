import { describe, expect, it } from "vitest";
import type { ServerMessage } from "@/api/types.gen";
import { topicsOf } from "@/store/topics";

const event = (kind: string): ServerMessage =>
  ({ type: "event", seq: 1, at: 0, sessionId: null, kind, data: {} }) as unknown as ServerMessage;

describe("what an event makes old", () => {
  it("is what the call's end is summed up in", () => {
    expect(topicsOf(event("call.finished"))).toEqual(["calls", "usage", "sessions", "curves", "budgets"]);
  });

  it("is nothing while a stream grows", () => {
    expect(topicsOf(event("calls.grew"))).toEqual([]);
  });

  it("is everything after a gap", () => {
    expect(topicsOf({ type: "snapshot" } as ServerMessage)).toContain("alerts");
  });

  it("is nothing where the page does not know the event", () => {
    expect(topicsOf(event("of.a.later.version"))).toEqual([]);
    expect(topicsOf({ type: "pong", at: 0 })).toEqual([]);
  });
});
