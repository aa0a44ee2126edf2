import { describe, expect, it } from "vitest";
import type { SessionView } from "@/api/types.gen";
import { commands, type Known } from "@/app/commands";

const session = (id: string, name: string, status: SessionView["status"] = "active"): SessionView =>
  ({ id, name, status }) as SessionView;

const known: Known = {
  pages: [
    { path: "/", label: "Live" },
    { path: "/calls", label: "Calls" },
  ],
  sessions: [session("1", "Recall the parser"), session("2", "Docs")],
  open: session("1", "Recall the parser"),
};

const labels = (typed: string, told: Known = known): string[] =>
  commands(typed, told).map(({ label }) => label);

describe("the palette", () => {
  it("offers what can be done with the open session before everything else", () => {
    expect(labels("")[0]).toBe("Pause “Recall the parser”");
    expect(labels("", { ...known, open: session("1", "Docs", "paused") })[0]).toBe("Resume “Docs”");
  });

  it("offers no action where no session is open", () => {
    expect(labels("", { ...known, open: undefined })[0]).toBe("Go to Live");
  });

  it("puts what begins with the text before what only holds it", () => {
    expect(labels("call")).toEqual([
      "Go to Calls",
      "Pause “Recall the parser”",
      "Complete “Recall the parser”…",
      "Recall the parser",
    ]);
  });

  it("takes the rest of the line as a checkpoint's name", () => {
    expect(commands("checkpoint design done", known)).toEqual([
      {
        kind: "checkpoint",
        id: "checkpoint",
        label: "Note the checkpoint “design done”",
        phase: "design done",
      },
    ]);
    expect(commands("c  Tests Green ", known)[0]).toMatchObject({ phase: "Tests Green" });
  });

  it("finds nothing rather than something else", () => {
    expect(labels("zebra")).toEqual([]);
  });
});
