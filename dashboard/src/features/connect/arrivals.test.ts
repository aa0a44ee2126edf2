import { describe, expect, it } from "vitest";
import type { CallView } from "@/api/types.gen";
import { arrival, lastSeen, placeOf } from "@/features/connect/arrivals";
import { startedCall } from "../../../mock/scene";

const call = (client: string | null, startedAt: number): CallView => ({
  ...startedCall(null, startedAt),
  client,
});
const codex = { clients: ["Codex"] };

describe("what arrived", () => {
  it("is nothing that was there before", () => {
    expect(arrival([call("Codex", 10)], codex, 11)).toBeUndefined();
    expect(arrival([], codex, 0)).toBeUndefined();
  });

  it("is the tool's own call before a newer one of another", () => {
    const [other, own] = [call("aider", 30), call("Codex", 20)];
    expect(arrival([other, own], codex, 11)).toEqual({ call: own, isFromTool: true });
    expect(arrival([other], codex, 11)).toEqual({ call: other, isFromTool: false });
  });

  it("is not taken for the tool's where the client says nothing of itself", () => {
    expect(arrival([call(null, 30)], codex, 11)?.isFromTool).toBe(false);
  });
});

it("a tool was last seen at its newest call", () => {
  expect(lastSeen([call(null, 50), call("Codex", 40), call("Codex", 30)], codex)).toBe(40);
  expect(lastSeen([call("aider", 40)], codex)).toBeUndefined();
});

it("says where a tool's text goes", () => {
  expect(placeOf({ file: "~/.codex/config.toml", language: "toml" })).toBe(
    "Put this into ~/.codex/config.toml:",
  );
  expect(placeOf({ file: null, language: "sh" })).toContain("shell");
  expect(placeOf({ file: null, language: "python" })).toBe("In your code:");
});
