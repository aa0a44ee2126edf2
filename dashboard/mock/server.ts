/**
 * A stand-in for Moonlock, for work on the dashboard: serves `dist` under the real page's policy, keeps
 * sessions in memory, invents calls. Speaks the same REST and WebSocket; not a reference for either.
 */
import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join } from "node:path";
import { type WebSocket, WebSocketServer } from "ws";
import type { AlertView, CallView, Change, Event, SessionView, Snapshot } from "../src/api/types.gen";
import { type Reply, rest } from "./rest";
import {
  busyScene,
  emptyScene,
  finishedCall,
  foretell,
  newSession,
  type Scene,
  startedCall,
  withCall,
} from "./scene";

export type Mock = {
  url: string;
  /** Drops every connection and stops listening; `url` can be served again with `startMock({ port })`. */
  stop: () => Promise<void>;
  /** Begins a call; the returned function ends it. */
  call: () => () => void;
  publish: (change: Change, sessionId?: string) => void;
  /** Leaves one event out of the stream; it can still be asked for. */
  loseNext: () => void;
  scene: Scene;
};

type MockOptions = { port?: number; scene?: "busy" | "empty" | Scene; calls?: boolean };

/** The snapshot has the newest only. */
const LIVE_SESSIONS = 20;
const POLICY = "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
const TYPES: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".webmanifest": "application/manifest+json",
};

export const startMock = async ({
  port = 0,
  scene: named = "empty",
  calls = true,
}: MockOptions = {}): Promise<Mock> => {
  const scene = named === "busy" ? busyScene() : named === "empty" ? emptyScene() : named;
  const events: Event[] = [];
  const listeners = new Set<WebSocket>();
  let seq = 100;
  let lose = false;

  const now = (view: SessionView): SessionView => {
    const at = Date.now();
    const elapsedMs = view.status === "active" ? view.elapsedMs + (at - view.at) : view.elapsedMs;
    return { ...view, at, elapsedMs };
  };

  const publish = (change: Change, sessionId: string | null = null): void => {
    seq += 1;
    const event: Event = { seq, at: Date.now(), sessionId, ...change };
    events.push(event);
    if (!lose) for (const socket of listeners) socket.send(JSON.stringify({ type: "event", ...event }));
    lose = false;
  };

  const keep = (view: SessionView): SessionView => {
    const others = scene.sessions.filter(({ id }) => id !== view.id);
    scene.sessions = [
      view,
      ...others.map((other) => (view.current ? { ...now(other), current: false } : other)),
    ];
    publish({ kind: "session", data: view });
    return view;
  };

  const call = (): (() => void) => {
    const current = scene.sessions.find((view) => view.current && view.status === "active");
    const startedAt = Date.now();
    const started = startedCall(current?.id ?? null, startedAt);
    scene.calls.unshift(started);
    publish({ kind: "call.started", data: started });
    return () => end(started, Date.now() - startedAt);
  };

  const end = (started: CallView, durationMs: number): void => {
    // What a test calls ends well: one that fails now and then is none.
    const ended = finishedCall(started, durationMs, calls ? Math.random() : 1);
    scene.calls = scene.calls.map((known) => (known.id === ended.id ? ended : known));
    const view = scene.sessions.find(({ id }) => id === ended.sessionId);
    const totals = withCall(view?.usage ?? scene.unassigned, ended);
    if (view) {
      const used = { ...view, usage: totals, tokensUsed: totals.total };
      scene.sessions = scene.sessions.map((known) => (known.id === view.id ? used : known));
    } else scene.unassigned = totals;
    publish({ kind: "call.finished", data: { call: ended, totals } });
    if (view) tell(view.id);
  };

  /** Tells what is foretold of a session. */
  const tell = (id: string): void => {
    const view = scene.sessions.find((known) => known.id === id);
    if (!view || view.status === "completed") return;
    const told = foretell(now(view));
    const { burnRate, forecast } = told;
    scene.sessions = scene.sessions.map((known) =>
      known === view ? { ...view, burnRate, forecast } : known,
    );
    publish({ kind: "forecast", data: told }, id);
  };

  const snapshot = (): Snapshot => ({
    seq,
    at: Date.now(),
    version: "0.1.0",
    proxyUrl: "http://127.0.0.1:3002",
    ...scene,
    sessions: scene.sessions.slice(0, LIVE_SESSIONS).map(now),
  });

  const server = createServer((request, response) => {
    const others = (body: unknown) => rest(request, body, { scene, publish });
    void answer(request, response, { create, change, changeAlert, move, snapshot, others }).catch(() =>
      response.writeHead(500).end(),
    );
  });

  const create = (body: Partial<SessionView>): Reply => {
    const { name = "", duration = null, tokenBudget = null, costBudgetNanoUsd = null } = body;
    if (name === "Refuse me") return problem(422, "The name is taken.", { field: "name" });
    return [201, keep(newSession(name, { duration, tokenBudget, costBudgetNanoUsd }))];
  };

  /** `null` is any revision. */
  const change = (id: string, revision: number | null, asked: Asked): Reply => {
    const known = scene.sessions.find((view) => view.id === id);
    if (!known) return problem(404, "There is no such session.");
    const view = now(known);
    if (revision !== null && revision !== view.revision)
      return problem(409, "The session has changed since.", { session: view });
    const { trim, untrim, countGap, ...said } = asked;
    const status = said.status ?? view.status;
    const endedAt = status === "completed" ? (view.endedAt ?? view.at) : null;
    const current = (said.current ?? view.current) && status !== "completed";
    const ahead = status === "completed" ? { burnRate: null, forecast: null } : {};
    const changed = { ...view, ...said, ...ahead, status, endedAt, current, revision: view.revision + 1 };
    return [200, keep(correct(changed, { trim, untrim, countGap }))];
  };

  const changeAlert = (id: string, asked: Partial<AlertView>): Reply => {
    const alert = scene.alerts.find((known) => known.id === id);
    if (!alert) return problem(404, "No such alert stands.");
    const snoozed = { number: "snoozed", object: "active", undefined: "acknowledged" } as const;
    const status = snoozed[typeof asked.snoozedUntil as keyof typeof snoozed];
    const changed: AlertView = { ...alert, ...asked, status };
    scene.alerts = scene.alerts.map((known) => (known.id === id ? changed : known));
    publish({ kind: "alert", data: changed });
    return [200, changed];
  };

  const move = ({ calls, from = 0, to = Infinity, fromSession, session }: Move): Reply => {
    const isMeant = (call: CallView): boolean =>
      calls
        ? calls.includes(call.id)
        : call.startedAt >= from &&
          call.startedAt < to &&
          (fromSession === undefined || call.sessionId === fromSession);
    const meant = scene.calls.filter((call) => isMeant(call) && call.sessionId !== session);
    const left = new Set(meant.map((call) => call.sessionId));
    const ids = new Set(meant.map((call) => call.id));
    scene.calls = scene.calls.map((call) =>
      ids.has(call.id) ? { ...call, sessionId: session, attribution: "moved" } : call,
    );
    for (const place of left) {
      const own = meant.filter((call) => call.sessionId === place).map((call) => call.id);
      publish({
        kind: "calls.moved",
        data: { calls: own, from: place, to: session, unassigned: scene.unassigned },
      });
    }
    return [200, { moved: meant.length, more: false, sessions: [], unassigned: scene.unassigned }];
  };

  const sockets = new WebSocketServer({ server, path: "/ws" });
  sockets.on("connection", (socket) => {
    const say = (message: object): void => socket.send(JSON.stringify(message));
    say({ type: "hello", version: "0.1.0", at: Date.now(), heartbeatMs: 15_000 });
    socket.on("message", (data) => {
      const message = JSON.parse(String(data)) as { type: string; since?: number };
      if (message.type === "ping") return say({ type: "pong", at: Date.now() });
      const { since } = message;
      if (since === undefined) say({ type: "snapshot", ...snapshot() });
      else
        for (const event of events.filter((missed) => missed.seq > since)) say({ type: "event", ...event });
      listeners.add(socket);
    });
    socket.on("close", () => listeners.delete(socket));
  });

  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  let timer: NodeJS.Timeout;
  const invent = (): void => {
    const finish = call();
    const [started] = scene.calls;
    const growing = setInterval(() => {
      const grown = scene.calls.find(({ id }) => id === started?.id);
      if (grown?.outcome !== "running") return clearInterval(growing);
      grown.outputSoFar = (grown.outputSoFar ?? 0) + 60;
      publish({ kind: "calls.grew", data: { calls: [{ id: grown.id, outputSoFar: grown.outputSoFar }] } });
    }, 500).unref();
    setTimeout(finish, 800 + Math.random() * 5_000).unref();
    timer = setTimeout(invent, 1_500 + Math.random() * 3_000).unref();
  };
  if (calls) invent();

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: async () => {
      clearTimeout(timer);
      for (const socket of sockets.clients) socket.terminate();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
    call,
    publish,
    loseNext: () => {
      lose = true;
    },
    scene,
  };
};

type Corrections = { trim?: { from: number; to: number }; untrim?: number; countGap?: number };
type Asked = Corrections &
  Partial<Pick<SessionView, "status" | "current" | "name" | "tags" | "note" | "duration" | "tokenBudget">>;
type Move = {
  session: string | null;
  calls?: string[];
  from?: number;
  to?: number;
  fromSession?: string | null;
};

/** Takes a stretch out of a session's time, puts one back, or counts a gap. */
const correct = (
  view: SessionView,
  { trim, untrim, countGap }: { [K in keyof Corrections]: Corrections[K] | undefined },
): SessionView => {
  if (trim) {
    const ms = Math.min(trim.to - trim.from, view.elapsedMs);
    const told = {
      seq: view.told.length + 2,
      kind: "trimmed" as const,
      at: trim.from,
      ms,
      undone: false,
      countable: false,
    };
    return {
      ...view,
      elapsedMs: view.elapsedMs - ms,
      trimmedMs: view.trimmedMs + ms,
      told: [...view.told, told],
    };
  }
  const event = view.told.find(({ seq }) => seq === (untrim ?? countGap));
  if (!event) return view;
  const ms = event.ms ?? 0;
  const told = view.told.map((known) =>
    known === event ? { ...known, undone: true, countable: false } : known,
  );
  const trimmedMs = view.trimmedMs - (untrim === undefined ? 0 : ms);
  return { ...view, elapsedMs: view.elapsedMs + ms, trimmedMs, told };
};

type Handlers = {
  create: (body: Partial<SessionView>) => Reply;
  change: (id: string, revision: number | null, asked: Asked) => Reply;
  changeAlert: (id: string, asked: Partial<AlertView>) => Reply;
  move: (asked: Move) => Reply;
  snapshot: () => Snapshot;
  others: (body: unknown) => Reply | undefined;
};

const problem = (status: number, detail: string, more: object = {}): Reply => [
  status,
  { type: "about:blank", title: "Not possible", status, detail, ...more },
];

const answer = async (request: IncomingMessage, response: ServerResponse, on: Handlers): Promise<void> => {
  const { pathname } = new URL(request.url ?? "/", "http://mock");
  if (!pathname.startsWith("/api/")) return file(pathname, response);
  const id = /^\/api\/sessions\/([^/]+)$/.exec(pathname)?.[1];
  let reply = problem(404, "There is nothing here.");
  if (request.method === "GET" && pathname === "/api/live") reply = [200, on.snapshot()];
  if (request.method === "POST" && pathname === "/api/sessions") reply = on.create(await json(request));
  if (request.method === "PATCH" && id) {
    const said = request.headers["if-match"];
    const revision = said === undefined ? null : Number(said.replaceAll('"', ""));
    reply = on.change(id, revision, await json(request));
  }
  const alert = /^\/api\/alerts\/([^/]+)$/.exec(pathname)?.[1];
  if (request.method === "PATCH" && alert) reply = on.changeAlert(alert, await json(request));
  if (request.method === "POST" && pathname === "/api/calls/move") reply = on.move(await json(request));
  else if (reply[0] === 404) reply = on.others(await json(request).catch(() => undefined)) ?? reply;
  const [status, body] = reply;
  const type = status < 400 ? "application/json" : "application/problem+json";
  response.writeHead(status, { "content-type": type }).end(JSON.stringify(body));
};

const json = async <T>(request: IncomingMessage): Promise<T> => {
  let text = "";
  for await (const chunk of request) text += chunk;
  return JSON.parse(text) as T;
};

const file = async (pathname: string, response: ServerResponse): Promise<void> => {
  const path = pathname === "/" || extname(pathname) === "" ? "/index.html" : pathname;
  const body = await readFile(join(import.meta.dirname, "../dist", path)).catch(() => null);
  if (body === null) return void response.writeHead(404).end();
  const type = TYPES[extname(path)] ?? "application/octet-stream";
  response.writeHead(200, { "content-type": type, "content-security-policy": POLICY }).end(body);
};
