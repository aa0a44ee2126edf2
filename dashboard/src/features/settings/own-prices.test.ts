import { expect, it } from "vitest";
import type { SettingView } from "@/api/types.gen";
import { ownPrices, priceField, typedPrice } from "@/features/settings/own-prices";

const setting = (name: string, value: unknown) => ({ name, value }) as SettingView;

it("tells what was written, and nothing of what was not", () => {
  const first = {
    provider: "openai",
    model: "gpt-4o*",
    from: "2026-11-01",
    input: "2.50",
    cache_read: "1.25",
    output: 10,
  };
  expect(
    ownPrices([
      setting("server.port", 3_001),
      setting("prices[0]", first),
      setting("prices[1]", { model: "my-model", input: 1, provider: null }),
      setting("prices[2]", null),
    ]),
  ).toEqual([
    { ...first, output: "10" },
    { model: "my-model", input: "1" },
  ]);
});

it("takes what is typed as it will be written", () => {
  const form = new FormData();
  for (const [name, typed] of Object.entries({
    model: " my-* ",
    provider: "",
    input: "$ 0.50",
    request: "0",
  }))
    form.set(name, typed);
  expect(typedPrice(form)).toEqual({ model: "my-*", input: "0.50", request: "0" });
});

it.each([
  ["prices.output", "output"],
  ["prices[1].cache_read", "cache_read"],
  ["sessions.auto", undefined],
  [undefined, undefined],
])("%s is the problem of %s", (name, field) => expect(priceField(name)).toBe(field));
