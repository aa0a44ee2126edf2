import { describe, expect, it } from "vitest";
import type { CallView } from "@/api/types.gen";
import { conversations } from "@/features/live/conversations";
import { idleGaps } from "@/features/live/idle-gaps";

const MINUTE = 60_000;

const call = (id: string, change: Partial<CallView>): CallView =>
  ({
    id,
    conversation: "thread-aaaaaa",
    agent: null,
    client: "claude-code",
    provider: "anthropic",
    model: "sonnet",
    requestModel: "sonnet",
    outcome: "complete",
    total: 100,
    costNanoUsd: 5,
    startedAt: 0,
    durationMs: MINUTE,
    ...change,
  }) as CallView;

describe("conversations", () => {
  it("are told apart by thread and by agent, the newest first", () => {
    const found = conversations([
      call("4", { startedAt: 9, conversation: "thread-bbbbbb", client: "codex" }),
      call("3", { startedAt: 8, agent: "agent-cccccc", model: "haiku" }),
      call("2", { startedAt: 7, outcome: "running", model: null, total: null, costNanoUsd: null }),
      call("1", { startedAt: 1 }),
    ]);
    expect(found.map(({ who, id, isAgent }) => [who, id, isAgent])).toEqual([
      ["codex", "bbbbbb", false],
      ["claude-code", "cccccc", true],
      ["claude-code", "aaaaaa", false],
    ]);
    expect(found[2]).toMatchObject({ calls: 2, running: 1, tokens: 100, costNanoUsd: 5, models: ["sonnet"] });
  });

  it("have no cost where none of their calls has one", () => {
    expect(conversations([call("1", { costNanoUsd: null })])[0]?.costNanoUsd).toBeNull();
  });

  it("are none where no client names its thread", () => {
    expect(conversations([call("1", { conversation: null })])).toEqual([]);
  });
});

describe("idle gaps", () => {
  it("stand before the call that ended them", () => {
    const calls = [
      call("c", { startedAt: 12 * MINUTE }),
      call("b", { startedAt: 2 * MINUTE }),
      call("a", {}),
    ];
    expect([...idleGaps(calls)]).toEqual([["c", 9 * MINUTE]]);
  });

  it("are not where another call still ran", () => {
    const long = call("a", { durationMs: 30 * MINUTE });
    const calls = [call("c", { startedAt: 20 * MINUTE }), call("b", { startedAt: MINUTE }), long];
    expect(idleGaps(calls).size).toBe(0);
    expect(idleGaps([call("b", { startedAt: 60 * MINUTE }), call("a", { outcome: "running" })]).size).toBe(0);
  });
});
