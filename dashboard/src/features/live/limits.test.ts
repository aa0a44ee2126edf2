import { expect, it } from "vitest";
import type { LimitsView, WindowView } from "@/api/types.gen";
import { limitGroups } from "@/features/live/limits";

const NOW = 1_000_000;
const USUAL = [80, 95];

const window = (name: string, change: Partial<WindowView> = {}): WindowView => ({
  name,
  kind: "tokens",
  periodMs: null,
  limit: 1_000,
  remaining: 500,
  usedPermille: 500,
  status: null,
  deciding: false,
  resetsAt: null,
  seenAt: NOW,
  stale: false,
  ...change,
});

const set = (provider: string, credential: string | null, windows: WindowView[]): LimitsView => ({
  provider,
  credential,
  seenAt: NOW,
  windows,
});

const shown = (limits: LimitsView[]) =>
  limitGroups(limits, NOW, USUAL).map(({ title, rows }) => [title, ...rows.map(({ label }) => label)]);

it("keys are told apart where a provider has several", () => {
  const tokens = [window("tokens")];
  expect(
    shown([set("groq", "0f0f0f", tokens), set("openai", "abcdef", tokens), set("openai", null, tokens)]),
  ).toEqual([
    ["groq", "tokens"],
    ["openai · abcd", "tokens"],
    ["openai · no key", "tokens"],
  ]);
});

it("only what still holds and says something is shown", () => {
  const windows = [
    window("begun-anew", { resetsAt: NOW }),
    window("stale", { stale: true }),
    window("says-nothing", { usedPermille: null }),
    window("requests-day", { resetsAt: NOW + 1 }),
  ];
  expect(shown([set("openai", "a", windows), set("xai", "a", [])])).toEqual([["openai", "requests day"]]);
});

it("a plan's windows are called by how long they last", () => {
  const hour = 3_600_000;
  const plan = (name: string, hours: number | null) =>
    window(name, { kind: "plan", periodMs: hours === null ? null : hours * hour });
  const windows = [plan("5h", 5), plan("7d_opus", 168), plan("primary", 5), plan("overage", null)];
  expect(shown([set("anthropic", "a", windows)])).toEqual([
    ["anthropic", "5\u00a0h", "week opus", "5\u00a0h", "overage"],
  ]);
});

it("a refusal is a limit that is spent", () => {
  const pause = window("retry-after", {
    kind: "pause",
    status: "rejected",
    usedPermille: null,
    resetsAt: NOW + 5_000,
  });
  const told = [set("groq", null, [pause, window("tokens", { usedPermille: 960 })])];
  const [group] = limitGroups(told, NOW, USUAL);
  expect(group?.rows.map(({ label, level }) => [label, level])).toEqual([
    ["asks to wait", "spent"],
    ["tokens", "critical"],
  ]);
});
