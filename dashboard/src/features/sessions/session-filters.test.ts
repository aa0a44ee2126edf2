import { describe, expect, it } from "vitest";
import { picks, question } from "@/features/sessions/session-filters";

const none = { search: "", status: "", tag: "", since: "", sort: "" };

describe("the question", () => {
  it("is empty where nothing was chosen: the newest come first by themselves", () => {
    expect(question(none, null)).toBe("");
  });

  it("names the order with what is sorted by", () => {
    expect(question({ ...none, sort: "tokens" }, null)).toBe("?sort=tokens&order=desc");
    expect(question({ ...none, sort: "oldest", search: "parser", status: "paused" }, 7)).toBe(
      "?search=parser&status=paused&from=7&sort=started&order=asc",
    );
  });

  it("leaves out an order that there is not", () => {
    expect(question({ ...none, sort: "constructor" }, null)).toBe("");
    expect(question({ ...none, sort: "colour" }, null)).toBe("");
  });
});

describe("what is picked", () => {
  it("is each session once, in order", () => {
    expect(picks("a,b,,a")).toEqual(["a", "b"]);
    expect(picks("")).toEqual([]);
  });
});
