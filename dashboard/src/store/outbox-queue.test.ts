import { describe, expect, it } from "vitest";
import type { Status } from "@/api/types.gen";
import { actionText, enqueue, readQueue, type Waiting } from "@/store/outbox-queue";

const status = (key: string, said: Status, session = "s1"): Waiting => ({
  key,
  action: { kind: "status", session, name: "Parser", status: said },
});
const checkpoint = (key: string): Waiting => ({
  key,
  action: { kind: "checkpoint", session: "s1", name: "Parser", phase: "done" },
});

const keys = (queue: Waiting[]): string[] => queue.map(({ key }) => key);

describe("actions that wait", () => {
  it("keep their order", () => {
    const queue = [status("1", "paused"), checkpoint("2"), status("3", "active")].reduce<Waiting[]>(
      enqueue,
      [],
    );
    expect(keys(queue)).toEqual(["1", "2", "3"]);
  });

  it("are not said twice in a row, but after something else they are", () => {
    const paused = enqueue([status("1", "paused"), checkpoint("2")], status("3", "paused"));
    expect(keys(paused)).toEqual(["1", "2"]);
    expect(keys(enqueue(paused, status("4", "paused", "s2")))).toEqual(["1", "2", "4"]);
    const again = enqueue(enqueue(paused, status("5", "active")), status("6", "paused"));
    expect(keys(again)).toEqual(["1", "2", "5", "6"]);
  });

  it("may be the same checkpoint twice: the user noted it twice", () => {
    expect(keys(enqueue([checkpoint("1")], checkpoint("2")))).toEqual(["1", "2"]);
  });

  it("come back from the storage as they were, and nothing else does", () => {
    const queue = [status("1", "paused"), checkpoint("2")];
    expect(readQueue(JSON.stringify(queue))).toEqual(queue);
    expect(readQueue(null)).toEqual([]);
    expect(readQueue("{")).toEqual([]);
    expect(readQueue('{"key":"1"}')).toEqual([]);
    expect(readQueue('[null, 3, {"key":"1","action":{"kind":"sing"}}]')).toEqual([]);
  });

  it("have words", () => {
    expect(actionText(status("1", "completed").action)).toBe("Complete “Parser”");
    expect(actionText(checkpoint("1").action)).toBe("Checkpoint “done”");
  });
});
