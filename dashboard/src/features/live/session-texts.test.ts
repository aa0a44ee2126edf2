import { describe, expect, it } from "vitest";
import { changeOf, type SessionTexts, textsOf } from "@/features/live/session-texts";
import { newSession } from "../../../mock/scene";

const HOUR = 3_600_000;

describe("what is written about a session", () => {
  const view = newSession("Parser", {
    duration: 1.5 * HOUR,
    tokenBudget: 500_000,
    tags: ["rust", "deep work"],
  });
  const before = textsOf(view);

  it("fills the fields as it can be typed", () => {
    expect(before).toEqual({
      name: "Parser",
      duration: "1h30",
      tokenBudget: "500000",
      tags: "rust, deep work",
      note: "",
    });
    expect(textsOf(newSession("x", { duration: 2 * HOUR })).duration).toBe("2h");
    expect(textsOf(newSession("x", { duration: HOUR / 2 })).duration).toBe("30m");
  });

  it.each<[Partial<SessionTexts>, object]>([
    [{}, {}],
    [{ name: " Parser " }, {}],
    [{ name: "Lexer" }, { name: "Lexer" }],
    [{ duration: "2h" }, { duration: 2 * HOUR }],
    [{ duration: "" }, { duration: null }],
    [{ tokenBudget: "1M" }, { tokenBudget: 1_000_000 }],
    [{ tokenBudget: "" }, { tokenBudget: null }],
    [{ tags: "rust,, parser ," }, { tags: ["rust", "parser"] }],
    [{ tags: " " }, { tags: [] }],
    [{ note: "look at spans" }, { note: "look at spans" }],
  ])("sends what was changed: %o", (typed, change) => {
    expect(changeOf(before, { ...before, ...typed })).toEqual({ change });
  });

  it.each<[Partial<SessionTexts>, keyof SessionTexts]>([
    [{ name: " " }, "name"],
    [{ duration: "6h" }, "duration"],
    [{ tokenBudget: "lots" }, "tokenBudget"],
  ])("says what cannot be understood: %o", (typed, field) => {
    expect(changeOf(before, { ...before, ...typed })).toEqual({
      problems: { [field]: expect.any(String) },
    });
  });

  it("leaves a note as it is whose lines another program ended in its own way", () => {
    const noted = textsOf(newSession("x", { note: "one\r\ntwo\rthree" }));
    expect(noted.note).toBe("one\ntwo\nthree");
    expect(changeOf(noted, { ...noted, name: "y" })).toEqual({ change: { name: "y" } });
  });

  it("takes a note away", () => {
    const noted = textsOf(newSession("x", { note: "old" }));
    expect(changeOf(noted, { ...noted, note: "" })).toEqual({ change: { note: null } });
  });
});
