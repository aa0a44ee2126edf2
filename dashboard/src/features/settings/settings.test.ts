import { describe, expect, it } from "vitest";
import type { SettingView } from "@/api/types.gen";
import { termsOf } from "@/features/settings/budget-terms";
import {
  folded,
  isChanged,
  matching,
  refusal,
  settingGroups,
  settingText,
  sourceText,
  typedValue,
  waysToSet,
} from "@/features/settings/settings-list";

const setting = (name: string, change: Partial<SettingView> = {}): SettingView => ({
  name,
  value: null,
  default: null,
  source: { kind: "default" },
  meaning: "",
  variable: null,
  flag: null,
  needsRestart: true,
  changeable: false,
  pending: false,
  ...change,
});

describe("settings", () => {
  it("stand with those that are about the same; none is lost", () => {
    const all = [
      "server.port",
      "mounts.openai.upstream",
      "prices[0]",
      "notify[0]",
      "later.thing",
      "alerts.at_percent",
      "NO_PROXY",
      "server.host",
    ];
    const groups = settingGroups(all.map((name) => setting(name)));
    expect(groups.map(({ title, settings }) => [title, ...settings.map(({ name }) => name)])).toEqual([
      ["Addresses", "server.port", "server.host"],
      ["Alerts", "notify[0]", "alerts.at_percent"],
      ["Providers", "mounts.openai.upstream"],
      ["Prices", "prices[0]"],
      ["Others", "later.thing"],
      ["From the environment only", "NO_PROXY"],
    ]);
  });

  it.each([
    ["server.port", 3001, "3001"],
    ["store.batch_size", 1000, "1,000"],
    ["sessions.auto", false, "no"],
    ["store.path", "", null],
    ["server.allow_hosts", [], null],
    ["alerts.at_percent", [80, 95], "80, 95"],
    ["server.allow_hosts", ["a.example", "b.example"], "a.example, b.example"],
    ["prices[0]", { input: "2.50" }, '{"input":"2.50"}'],
  ])("%s is told", (name, value, text) => expect(settingText({ name }, value)).toBe(text));

  it("say who said it, and whether that changes anything", () => {
    expect(sourceText({ kind: "file", file: "/home/me/.config/moonlock/config.toml", line: 12 })).toBe(
      "config.toml, line 12",
    );
    expect(sourceText({ kind: "environment", variable: "PORT" })).toBe("environment: PORT");
    const source = { kind: "flag" as const, flag: "--port" };
    expect(isChanged(setting("server.port", { value: 1, default: 2, source }))).toBe(true);
    expect(isChanged(setting("server.port", { value: 2, default: 2, source }))).toBe(false);
    expect(isChanged(setting("store.path", { value: "/data/moonlock.db", default: "" }))).toBe(false);
  });

  it("are found by name, meaning and value", () => {
    const all = [
      setting("server.port", { value: 3001 }),
      setting("store.path", { meaning: "The database." }),
    ];
    const names = (text: string) => matching(all, text).map(({ name }) => name);
    expect(names("PORT")).toEqual(["server.port"]);
    expect(names("300")).toEqual(["server.port"]);
    expect(names("database")).toEqual(["store.path"]);
    expect(names(" ")).toEqual(["server.port", "store.path"]);
  });

  it("of a long group are folded away where nobody has said anything", () => {
    const usual = Array.from({ length: 30 }, (_, index) => setting(`mounts.m${index}.upstream`));
    const said = setting("mounts.mine.upstream", { value: "x", source: { kind: "flag", flag: "--x" } });
    expect(folded([...usual, said])).toEqual({ shown: [said], more: usual });
    expect(folded([said, ...usual.slice(0, 3)]).more).toEqual([]);
  });

  it.each([
    [30, "1,440", { value: 1_440 }],
    [30, "half an hour", { problem: "Give a whole number." }],
    [30, "-1", { problem: "Give a whole number." }],
    [30, " ", { value: null }],
    ["normal", " full ", { value: "full" }],
    [[80, 95], "50", { value: [50] }],
    [[80, 95], " 50 %, 75 %; 90", { value: [50, 75, 90] }],
    [[80, 95], "[50, 100]", { value: [50, 100] }],
    [[80, 95], "", { value: null }],
    [[80, 95], "half", { problem: "Give whole numbers, such as 80, 95." }],
    [[80, 95], "0.5, 0.9", { problem: "Give whole numbers, such as 80, 95." }],
    [[80, 95], "-5", { problem: "Give whole numbers, such as 80, 95." }],
  ])("that come with %s and are given “%s”", (usual, text, typed) =>
    expect(typedValue({ default: usual }, text)).toEqual(typed),
  );

  it("are refused in words that a person can use", () => {
    expect(refusal("/home/me/config.toml:12: `store.durability`: unknown variant `nope`")).toBe(
      "Unknown variant `nope`",
    );
    expect(refusal("store.keep_calls_days=999999: calls are kept for 1 to 3650 days")).toBe(
      "Calls are kept for 1 to 3650 days",
    );
    expect(refusal("the demo’s settings are fixed")).toBe("The demo’s settings are fixed");
  });

  it("say how they are set beside the file", () => {
    expect(waysToSet(setting("server.port", { variable: "PORT", flag: "--port" }))).toEqual([
      "PORT",
      "--port",
    ]);
    expect(waysToSet(setting("NO_PROXY", { variable: "NO_PROXY" }))).toEqual([]);
  });
});

describe("a budget's form", () => {
  const form = (fields: Record<string, string>): FormData => {
    const data = new FormData();
    for (const [name, value] of Object.entries(fields)) data.set(name, value);
    return data;
  };

  it("makes terms; what is left empty is any", () => {
    const typed = {
      name: " Team ",
      period: "week",
      tokenBudget: "2M",
      costBudgetNanoUsd: "$20",
      provider: "openai",
    };
    expect(termsOf(form(typed))).toEqual({
      terms: {
        name: "Team",
        period: "week",
        provider: "openai",
        model: null,
        client: null,
        tokenBudget: 2_000_000,
        budgetCounts: "all",
        costBudgetNanoUsd: 20e9,
        atLimit: "alert",
      },
    });
  });

  it.each([
    [{ name: "", tokenBudget: "1k" }, "name"],
    [{ name: "a" }, "tokenBudget"],
    [{ name: "a", tokenBudget: "many" }, "tokenBudget"],
    [{ name: "a", costBudgetNanoUsd: "free" }, "costBudgetNanoUsd"],
  ])("%o is wrong in %s", (typed, field) => {
    expect(termsOf(form(typed))).toEqual({ problems: { [field]: expect.any(String) } });
  });
});
