/**
 * Actions that wait until Moonlock answers again. Pure.
 */
import type { Status } from "@/api/types.gen";
import type { NewSession } from "@/shared/api-client";

export type Action =
  | { kind: "start"; asked: NewSession }
  | { kind: "status"; session: string; name: string; status: Status }
  | { kind: "checkpoint"; session: string; name: string; phase: string };

/** An action, and the key under which it is said however often: it counts once. */
export type Waiting = { key: string; action: Action };

/** So many can wait; what nobody replays for so long is no longer meant. */
const MOST = 100;

/** In the order of the user's doing. What the queue's end says of a session already is not said again. */
export const enqueue = (queue: readonly Waiting[], next: Waiting): Waiting[] => {
  const { action } = next;
  const last = queue.findLast(
    (waiting) =>
      action.kind === "status" &&
      waiting.action.kind === "status" &&
      waiting.action.session === action.session,
  );
  const isSaid =
    action.kind === "status" && last?.action.kind === "status" && last.action.status === action.status;
  return isSaid || queue.length >= MOST ? [...queue] : [...queue, next];
};

const verbs: Record<Status, string> = { active: "Resume", paused: "Pause", completed: "Complete" };

export const actionText = (action: Action): string => {
  switch (action.kind) {
    case "start":
      return `Start “${action.asked.name}”`;
    case "status":
      return `${verbs[action.status]} “${action.name}”`;
    case "checkpoint":
      return `Checkpoint “${action.phase}”`;
  }
};

/** What the storage held, if it is a queue. */
export const readQueue = (text: string | null): Waiting[] => {
  if (text === null) return [];
  try {
    const read: unknown = JSON.parse(text);
    return Array.isArray(read) ? read.filter(isWaiting) : [];
  } catch {
    return [];
  }
};

const KINDS: readonly unknown[] = ["start", "status", "checkpoint"] satisfies Action["kind"][];

const isWaiting = (value: unknown): value is Waiting => {
  const { key, action } = (value ?? {}) as { key?: unknown; action?: { kind?: unknown } };
  return typeof key === "string" && KINDS.includes(action?.kind);
};
