/**
 * Does what the user asks for, or keeps it until Moonlock answers again: across a reload, and once however many
 * tabs there are.
 */
import { create } from "zustand";
import type { SessionView } from "@/api/types.gen";
import { addCheckpoint, createSession, Problem, setStatus } from "@/shared/api-client";
import { receiveSession, useLive } from "@/store/live-store";
import { type Action, enqueue, readQueue, type Waiting } from "@/store/outbox-queue";

type Refused = { key: string; action: Action; reason: string };

type Outbox = { waiting: Waiting[]; refused: Refused[] };

const STORAGE_KEY = "moonlock.outbox";
const LOCK = "moonlock.outbox";

/** Storage may be blocked: what waits then lasts as long as the page. */
const load = (): Waiting[] => {
  try {
    return readQueue(localStorage.getItem(STORAGE_KEY));
  } catch {
    return useOutbox.getState().waiting;
  }
};

const keep = (waiting: Waiting[]): void => {
  try {
    if (waiting.length === 0) localStorage.removeItem(STORAGE_KEY);
    else localStorage.setItem(STORAGE_KEY, JSON.stringify(waiting));
  } catch {
    // As above.
  }
  useOutbox.setState({ waiting });
};

export const useOutbox = create<Outbox>(() => ({ waiting: [], refused: [] }));

/** Outside a secure context there is no `randomUUID`. */
const newKey = (): string =>
  crypto.randomUUID?.() ?? Array.from(crypto.getRandomValues(new Uint32Array(4)), String).join("-");

const send = ({ key, action }: Waiting): Promise<SessionView | undefined> => {
  switch (action.kind) {
    case "start":
      return createSession(action.asked, key);
    case "status":
      return setStatus(action.session, action.status);
    case "checkpoint":
      return addCheckpoint(action.session, action.phase, key);
  }
};

const isUnanswered = (error: unknown): boolean => error instanceof Problem && error.status === 0;

/**
 * Does it now; where Moonlock does not answer, it waits. The key is the same then, as nobody knows whether the
 * first try arrived. Throws the `Problem` of what was refused.
 */
export const perform = async (
  action: Action,
  now: (key: string) => Promise<SessionView | undefined>,
): Promise<SessionView | undefined> => {
  const waiting: Waiting = { key: newKey(), action };
  // What waits comes first.
  if (load().length > 0 && useLive.getState().connection.kind !== "live") {
    keep(enqueue(load(), waiting));
    return undefined;
  }
  try {
    const view = await now(waiting.key);
    if (view) receiveSession(view);
    return view;
  } catch (error) {
    if (!isUnanswered(error)) throw error;
    keep(enqueue(load(), waiting));
    return undefined;
  }
};

const done = (key: string): void => keep(load().filter((waiting) => waiting.key !== key));

/** One after the other, until one finds nobody again. */
const replay = async (): Promise<void> => {
  for (let next = load()[0]; next; next = load()[0]) {
    const { key, action } = next;
    try {
      const view = await send(next);
      if (view) receiveSession(view);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      if (error.status === 0 || error.status >= 500) return;
      const refused = { key, action, reason: error.message };
      useOutbox.setState((before) => ({ refused: [...before.refused, refused] }));
    }
    done(key);
  }
};

/** One tab does it for all. */
const replayOnce = async (): Promise<void> => {
  if (!navigator.locks) return replay();
  await navigator.locks.request(LOCK, { ifAvailable: true }, async (lock) => {
    if (lock) await replay();
  });
};

/** Nobody wants them any more. */
export const discardWaiting = (): void => keep([]);

export const dismissRefused = (): void => useOutbox.setState({ refused: [] });

/** Follows the connection and the other tabs, until the returned function is called. */
export const startOutbox = (): (() => void) => {
  useOutbox.setState({ waiting: load() });
  const follow = (event: StorageEvent): void => {
    if (event.key === STORAGE_KEY) useOutbox.setState({ waiting: readQueue(event.newValue) });
  };
  window.addEventListener("storage", follow);
  const stop = useLive.subscribe(({ connection }, before) => {
    const isBack = connection.kind === "live" && before.connection.kind !== "live";
    if (isBack && load().length > 0) void replayOnce();
  });
  return () => {
    window.removeEventListener("storage", follow);
    stop();
  };
};
