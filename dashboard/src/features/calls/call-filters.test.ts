import { describe, expect, it } from "vitest";
import type { CallView } from "@/api/types.gen";
import { type CallFilters, FILTERS, fits, fromOf, question } from "@/features/calls/call-filters";

const filters = (change: Partial<CallFilters> = {}): CallFilters => ({
  ...(Object.fromEntries(FILTERS.map((name) => [name, ""])) as CallFilters),
  ...change,
});

const call = {
  sessionId: null,
  provider: "anthropic",
  client: "claude-code",
  operation: "messages",
  model: "claude-sonnet-4-5",
  requestModel: "sonnet",
  outcome: "complete",
  source: "exact",
  conversation: "thread-1",
} as CallView;

describe("the question", () => {
  it("names what was chosen and nothing else", () => {
    expect(question(filters(), null)).toBe("");
    expect(question(filters({ provider: "openai", search: "a&b", since: "1h" }), 7)).toBe(
      "?search=a%26b&provider=openai&from=7",
    );
  });

  it("begins where the range does", () => {
    expect(fromOf(filters({ since: "1h" }), 4_000_000)).toBe(400_000);
    expect(fromOf(filters({ since: "yesterday" }), 4_000_000)).toBeNull();
  });
});

describe("a call that just came", () => {
  it.each<[Partial<CallFilters>, boolean]>([
    [{}, true],
    [{ session: "unassigned" }, true],
    [{ session: "s1" }, false],
    [{ model: "sonnet" }, true],
    [{ model: "haiku" }, false],
    [{ provider: "openai" }, false],
    [{ outcome: "running" }, false],
    [{ search: "CLAUDE" }, true],
    [{ search: "gemini" }, false],
    [{ source: "exact", client: "claude-code", conversation: "thread-1" }, true],
  ])("with %o fits: %s", (change, expected) => {
    expect(fits(call, filters(change))).toBe(expected);
  });
});
