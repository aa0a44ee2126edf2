import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { ServerMessage } from "@/api/types.gen";
import { backoff, type Connection, openLiveSocket } from "@/store/live-socket";

class FakeSocket {
  readyState = 0;
  sent: { type: string; since?: number }[] = [];
  onopen?: () => void;
  onmessage?: (event: { data: string }) => void;
  onclose?: () => void;

  send(text: string): void {
    this.sent.push(JSON.parse(text));
  }
  close(): void {
    this.drop();
  }
  accept(): void {
    this.readyState = 1;
    this.onopen?.();
    this.say({ type: "hello", version: "0.1.0", at: 1, heartbeatMs: 15_000 });
  }
  say(message: ServerMessage): void {
    this.onmessage?.({ data: JSON.stringify(message) });
  }
  drop(): void {
    if (this.readyState === 3) return;
    this.readyState = 3;
    this.onclose?.();
  }
}

const start = (address = async () => "ws://test/ws") => {
  const sockets: FakeSocket[] = [];
  const addresses: string[] = [];
  const connections: Connection[] = [];
  const messages: ServerMessage[] = [];
  const live = openLiveSocket(
    "ws://test/ws",
    {
      message: (message) => messages.push(message),
      connection: (connection) => connections.push(connection),
      address,
    },
    (url) => {
      addresses.push(url);
      const socket = new FakeSocket();
      sockets.push(socket);
      return socket as unknown as WebSocket;
    },
    () => 1,
  );
  const newest = (): FakeSocket => sockets.at(-1) ?? expect.fail("nothing was opened");
  return { live, sockets, addresses, connections, messages, newest, shown: () => connections.at(-1) };
};

beforeEach(() => void vi.useFakeTimers({ now: 1_000_000 }));
afterEach(() => void vi.useRealTimers());

describe("backoff", () => {
  it("doubles from 250 ms up to 10 s", () => {
    expect([0, 1, 2, 3, 4, 5, 6, 60].map((attempt) => backoff(attempt, 1))).toEqual([
      250, 500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000,
    ]);
  });

  it("is spread over the whole time", () => {
    expect(backoff(3, 0)).toBe(0);
    expect(backoff(3, 0.5)).toBe(1_000);
  });
});

it("asks for the whole state as soon as the server says hello", () => {
  const { newest, shown, messages } = start();
  expect(shown()).toEqual({ kind: "connecting" });
  newest().accept();
  expect(shown()).toEqual({ kind: "live" });
  expect(newest().sent.at(-1)).toEqual({ type: "subscribe", sessions: ["*"] });
  expect(messages).toMatchObject([{ type: "hello" }]);
});

it("asks for what is missing", () => {
  const { live, newest } = start();
  newest().accept();
  live.subscribe(41);
  expect(newest().sent.at(-1)).toEqual({ type: "subscribe", sessions: ["*"], since: 41 });
});

it("comes back after a loss, later each time, and says since when it is offline", () => {
  const { sockets, newest, shown } = start();
  newest().accept();
  newest().drop();
  expect(shown()).toEqual({ kind: "reconnecting", since: 1_000_000 });
  for (const delay of [250, 500, 1_000]) {
    const opened = sockets.length;
    vi.advanceTimersByTime(delay - 1);
    expect(sockets).toHaveLength(opened);
    vi.advanceTimersByTime(1);
    expect(sockets).toHaveLength(opened + 1);
    newest().drop();
  }
  expect(shown()).toEqual({ kind: "offline", since: 1_000_000 });
  vi.advanceTimersByTime(2_000);
  newest().accept();
  expect(shown()).toEqual({ kind: "live" });
  newest().drop();
  expect(shown()).toMatchObject({ kind: "reconnecting" });
});

it("tries at once when woken, and not once more at the planned moment", () => {
  const { live, sockets, newest } = start();
  newest().drop();
  live.wake();
  expect(sockets).toHaveLength(2);
  vi.advanceTimersByTime(60_000);
  expect(sockets).toHaveLength(2);
});

it("pings a silent server, and leaves one that does not answer", () => {
  const { newest, sockets, shown } = start();
  newest().accept();
  vi.advanceTimersByTime(15_000);
  expect(newest().sent.at(-1)).toEqual({ type: "ping" });
  newest().say({ type: "pong", at: 2 });
  vi.advanceTimersByTime(15_000);
  expect(sockets).toHaveLength(1);
  vi.advanceTimersByTime(5_000);
  expect(shown()).toMatchObject({ kind: "reconnecting" });
});

it("goes where the server says that it listens, and stays there while nobody says", async () => {
  const { addresses, newest } = start(async () => {
    if (addresses.length > 2) throw new Error("nobody answers");
    return "ws://test/elsewhere";
  });
  for (const delay of [250, 500, 1_000]) {
    newest().drop();
    await vi.advanceTimersByTimeAsync(delay);
  }
  expect(addresses).toEqual([
    "ws://test/ws",
    "ws://test/elsewhere",
    "ws://test/elsewhere",
    "ws://test/elsewhere",
  ]);
});

it("stays closed once closed", () => {
  const { live, sockets, newest } = start();
  newest().accept();
  live.close();
  vi.advanceTimersByTime(60_000);
  expect(sockets).toHaveLength(1);
});
