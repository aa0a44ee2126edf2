/**
 * The one connection to the server: opens it, keeps it, comes back after a loss. Knows no state but its own.
 */
import type { ServerMessage } from "@/api/types.gen";

export type Connection =
  | { kind: "connecting" }
  | { kind: "live" }
  /** Lost a moment ago. `since` is UTC epoch milliseconds. */
  | { kind: "reconnecting"; since: number }
  /** Lost, and the first tries failed; tries go on. */
  | { kind: "offline"; since: number };

export type SocketHandlers = {
  message: (message: ServerMessage) => void;
  connection: (connection: Connection) => void;
  /** Where the server says that it listens; asked for where nothing answers as it should. */
  address: () => Promise<string>;
};

export type LiveSocket = {
  /** Asks for the events after `since` or, without it, for the whole state. */
  subscribe: (since?: number) => void;
  /** Tries now instead of at the next planned moment, and checks that a connection that seems up is. */
  wake: () => void;
  close: () => void;
};

const FIRST_DELAY_MS = 250;
const LONGEST_DELAY_MS = 10_000;
/** So many failed tries turn "reconnecting" into "offline". */
const TRIES_BEFORE_OFFLINE = 3;
const DEFAULT_HEARTBEAT_MS = 30_000;
const ANSWER_WITHIN_MS = 5_000;

/** Exponential back-off with full jitter: many pages that lost one server do not come back as one. */
export const backoff = (attempt: number, random: number): number =>
  random * Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** attempt);

export const openLiveSocket = (
  url: string,
  handlers: SocketHandlers,
  connect: (url: string) => WebSocket = (address) => new WebSocket(address),
  random: () => number = Math.random,
): LiveSocket => {
  let socket: WebSocket | undefined;
  let address = url;
  let attempt = 0;
  let lostAt: number | undefined;
  let closed = false;
  let heartbeatMs = DEFAULT_HEARTBEAT_MS;
  let retry: ReturnType<typeof setTimeout> | undefined;
  let pingTimer: ReturnType<typeof setTimeout> | undefined;
  let answerTimer: ReturnType<typeof setTimeout> | undefined;

  const say = (message: object): void => {
    if (socket?.readyState === 1) socket.send(JSON.stringify(message));
  };

  const ping = (): void => {
    say({ type: "ping" });
    // Any message clears it: a connection that is silent for so long is dead, whatever TCP thinks.
    answerTimer ??= setTimeout(() => lose(), ANSWER_WITHIN_MS);
  };

  const rest = (): void => {
    clearTimeout(pingTimer);
    clearTimeout(answerTimer);
    answerTimer = undefined;
  };

  const heard = (): void => {
    rest();
    pingTimer = setTimeout(ping, heartbeatMs);
  };

  const open = (): void => {
    clearTimeout(retry);
    retry = undefined;
    const opened = connect(address);
    socket = opened;
    opened.onopen = ping;
    opened.onmessage = ({ data }) => {
      if (opened === socket) receive(JSON.parse(String(data)) as ServerMessage);
    };
    opened.onclose = () => {
      if (opened === socket) lose();
    };
  };

  const receive = (message: ServerMessage): void => {
    if (message.type === "hello") heartbeatMs = message.heartbeatMs;
    heard();
    handlers.message(message);
    if (message.type !== "hello") return;
    attempt = 0;
    lostAt = undefined;
    handlers.connection({ kind: "live" });
    // The whole state rather than `since`: the program may be another than the one that counted before.
    say({ type: "subscribe", sessions: ["*"] });
  };

  const lose = (): void => {
    rest();
    const lost = socket;
    socket = undefined;
    lost?.close();
    if (closed) return;
    lostAt ??= Date.now();
    const kind = attempt < TRIES_BEFORE_OFFLINE ? "reconnecting" : "offline";
    handlers.connection({ kind, since: lostAt });
    // Told anew after every loss: the program that comes back may have been set up otherwise.
    void handlers.address().then(
      (told) => {
        address = told;
      },
      () => {},
    );
    retry = setTimeout(open, backoff(attempt, random()));
    attempt += 1;
  };

  handlers.connection({ kind: "connecting" });
  open();

  return {
    subscribe: (since) => say({ type: "subscribe", sessions: ["*"], since }),
    wake: () => {
      if (retry !== undefined) open();
      else if (socket?.readyState === 1) ping();
    },
    close: () => {
      closed = true;
      clearTimeout(retry);
      lose();
    },
  };
};
