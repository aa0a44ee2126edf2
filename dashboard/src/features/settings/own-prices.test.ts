import { expect, it } from "vitest";
import type { SettingView } from "@/api/types.gen";
import { ownPrices } from "@/features/settings/own-prices";

const setting = (name: string, value: unknown) => ({ name, value }) as SettingView;

it("tells what was written, and what was left out in words", () => {
  expect(
    ownPrices([
      setting("server.port", 3_001),
      setting("prices[0]", {
        provider: "openai",
        model: "gpt-4o*",
        from: "2026-11-01",
        input: "2.50",
        cache_read: "1.25",
        output: 10,
      }),
      setting("prices[1]", { model: "my-model", input: 1 }),
      setting("prices[2]", null),
    ]).map(({ key: _, ...price }) => Object.values(price)),
  ).toEqual([
    ["gpt-4o*", "openai", "2026-11-01", "$2.50", "$1.25", "$10"],
    ["my-model", "every provider", "always", "$1", "—", "—"],
  ]);
});
