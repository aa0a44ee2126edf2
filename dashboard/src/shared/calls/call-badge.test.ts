import { describe, expect, it } from "vitest";
import type { CallView } from "@/api/types.gen";
import { look } from "@/shared/calls/call-badge";

const call = (change: Partial<CallView>): CallView =>
  ({ outcome: "complete", source: null, status: 200, countedBy: null, ...change }) as CallView;

describe("a call's badge", () => {
  it("says where its numbers came from", () => expect(look(call({ source: "exact" })).word).toBe("Exact"));
  it("says that they are unknown", () => expect(look(call({})).word).toBe("Unknown"));
  it("says that they stand in another row, however the call ended", () => {
    expect(look(call({ countedBy: "c1" })).word).toBe("Counted elsewhere");
    expect(look(call({ countedBy: "c1", outcome: "client_aborted" })).word).toBe("Counted elsewhere");
  });
});
