/**
 * The page's one source of live data, and the functions that feed it.
 */
import { create } from "zustand";
import type { CallView, ServerMessage, SessionView, SettingsView } from "@/api/types.gen";
import { read } from "@/shared/api-client";
import { apply, emptyState, type LiveState, withAnswer } from "@/store/live-reducer";
import { type Connection, openLiveSocket } from "@/store/live-socket";
import { shownSession } from "@/store/shown-session";
import { keepInView, useUi } from "@/store/ui-store";

type Live = { state: LiveState; connection: Connection };

export const useLive = create<Live>(() => ({ state: emptyState, connection: { kind: "connecting" } }));

/** Takes a session that an answer of the API brought, without waiting for its event. */
export const receiveSession = (view: SessionView): void => {
  const now = performance.now();
  const { state } = useLive.getState();
  take({ ...state, sessions: withAnswer(state.sessions, view, now) });
};

type Listener = (messages: readonly ServerMessage[]) => void;
const listeners = new Set<Listener>();

/** Hears every batch of messages after the store took it, until the returned function is called. */
export const onMessages = (listener: Listener): (() => void) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};

const take = (state: LiveState): void => {
  const before = shownSession(useLive.getState().state.sessions, useUi.getState())?.view;
  useLive.setState({ state });
  const after = state.sessions.find(({ view }) => view.id === before?.id)?.view;
  if (before && before.status !== "completed" && after?.status === "completed") keepInView(after.id);
};

/** About how many tokens a running call holds so far. */
export const useSoFar = ({ id, outputSoFar }: Pick<CallView, "id" | "outputSoFar">): number | null =>
  useLive((live) => live.state.grown.get(id)) ?? outputSoFar;

/** The server's wall clock now, as well as the page can know it. */
export const serverNow = (clock: LiveState["clock"], now: number): number =>
  clock.serverAt + (now - clock.receivedAt);

/** A hidden page takes its messages this often: nobody looks, and nothing may be lost. */
const HIDDEN_BATCH_MS = 1_000;
/** A difference of the two clocks that only a sleeping machine or a changed clock explains. */
const CLOCK_JUMP_MS = 1_000;

/** Where the socket is unless the server is set up otherwise: the page need not wait to be told. */
const USUAL_PATH = "/ws";

const addressOf = (path: string): string =>
  `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${path}`;

/** Connects the store to the server, until the returned function is called. */
export const startLive = (): (() => void) => {
  let waiting: { message: ServerMessage; now: number }[] = [];
  let planned: (() => void) | undefined;
  let asked = false;

  // One update a frame, however many events came: a burst of calls costs one render.
  const flush = (): void => {
    planned?.();
    planned = undefined;
    const batch = waiting;
    waiting = [];
    if (batch.length === 0) return;
    const before = useLive.getState().state;
    const state = batch.reduce((known, { message, now }) => apply(known, message, now), before);
    take(state);
    const messages = batch.map(({ message }) => message);
    for (const listener of listeners) listener(messages);
    if (!state.missed) asked = false;
    else if (!asked) {
      asked = true;
      socket.subscribe(state.seq ?? undefined);
    }
  };

  const plan = (): void => {
    if (document.visibilityState === "visible") {
      const frame = requestAnimationFrame(flush);
      planned = () => cancelAnimationFrame(frame);
    } else {
      const timer = setTimeout(flush, HIDDEN_BATCH_MS);
      planned = () => clearTimeout(timer);
    }
  };

  const socket = openLiveSocket(addressOf(USUAL_PATH), {
    message: (message) => {
      waiting.push({ message, now: performance.now() });
      if (!planned) plan();
    },
    connection: (connection) => useLive.setState({ connection }),
    address: async () => {
      const { settings } = await read<SettingsView>("/api/settings");
      const path = settings.find(({ name }) => name === "server.ws_path")?.value;
      return addressOf(typeof path === "string" ? path : USUAL_PATH);
    },
  });

  let clockDifference = Date.now() - performance.now();
  const look = (): void => {
    if (document.visibilityState !== "visible") return;
    flush();
    socket.wake();
    // `performance.now()` may stand still while the machine sleeps; the anchors are then worth nothing.
    const difference = Date.now() - performance.now();
    if (Math.abs(difference - clockDifference) > CLOCK_JUMP_MS) socket.subscribe();
    clockDifference = difference;
  };
  const wake = (): void => socket.wake();
  document.addEventListener("visibilitychange", look);
  window.addEventListener("focus", look);
  window.addEventListener("online", wake);

  return () => {
    document.removeEventListener("visibilitychange", look);
    window.removeEventListener("focus", look);
    window.removeEventListener("online", wake);
    planned?.();
    socket.close();
  };
};
