/**
 * The live state and how a message changes it. Pure: the moment of receipt is an argument.
 */
import type {
  AlertView,
  CallView,
  CheckpointView,
  Event,
  LimitsView,
  ServerMessage,
  SessionView,
  Snapshot,
  Totals,
} from "@/api/types.gen";

/** A session, and the page's own clock (`performance.now()`) when `view.elapsedMs` was received. */
export type LiveSession = { view: SessionView; receivedAt: number };

export type LiveState = {
  /** The last event that is in this state; `null` before the first snapshot. */
  seq: number | null;
  /** Events are missing: ask for those after `seq`. Until they come, later ones are left out. */
  missed: boolean;
  version: string;
  proxyUrl: string;
  /** Newest first. */
  sessions: LiveSession[];
  unassigned: Totals;
  /** Newest first. */
  calls: CallView[];
  /**
   * What running calls hold so far, where that is more than when they were told. It changes many times a second: beside
   * the calls, so that they are the same until one begins or ends.
   */
  grown: ReadonlyMap<string, number>;
  /** Those that last. */
  alerts: AlertView[];
  /** Checkpoints that were noted since the page opened, in order. */
  checkpoints: CheckpointView[];
  /** The providers' own limits: one for each credential at each provider. */
  limits: LimitsView[];
  /** The shares of budgets and limits at which the server alerts, in per cent, rising. */
  alertAt: readonly number[];
  /** The server's wall clock and, at the same moment, the page's own. */
  clock: { serverAt: number; receivedAt: number };
};

/** How many calls are kept. The page shows the newest hundred of a session. */
export const KEPT_CALLS = 300;
/** How many checkpoints are kept. */
const KEPT_CHECKPOINTS = 500;

export const noTotals: Totals = {
  requests: 0,
  errors: 0,
  input: 0,
  cacheRead: 0,
  cacheWrite: 0,
  output: 0,
  reasoning: 0,
  total: 0,
  costNanoUsd: null,
  unpricedTokens: 0,
  unpricedRequests: 0,
  inexactTokens: 0,
  unknownRequests: 0,
};

export const emptyState: LiveState = {
  seq: null,
  missed: false,
  version: "",
  proxyUrl: "",
  sessions: [],
  unassigned: noTotals,
  calls: [],
  grown: new Map(),
  alerts: [],
  checkpoints: [],
  limits: [],
  alertAt: [],
  clock: { serverAt: 0, receivedAt: 0 },
};

/** Takes one message of the server, received at `now` on the page's clock. */
export const apply = (state: LiveState, message: ServerMessage, now: number): LiveState => {
  switch (message.type) {
    case "hello":
    case "pong":
      return { ...state, clock: { serverAt: message.at, receivedAt: now } };
    case "snapshot":
      return fromSnapshot(state, message, now);
    case "event":
      return takeEvent(state, message, now);
    case "error":
      return state;
  }
};

const fromSnapshot = (state: LiveState, snapshot: Snapshot, now: number): LiveState => ({
  checkpoints: state.checkpoints,
  seq: snapshot.seq,
  missed: false,
  version: snapshot.version,
  proxyUrl: snapshot.proxyUrl,
  sessions: snapshot.sessions.map((view) => ({ view, receivedAt: now })).sort(newestSession),
  unassigned: snapshot.unassigned,
  calls: [...snapshot.calls].sort(newestCall),
  grown: new Map(),
  alerts: snapshot.alerts.filter((alert) => alert.clearedAt === null),
  limits: snapshot.limits,
  alertAt: snapshot.alertAtPercent,
  clock: { serverAt: snapshot.at, receivedAt: now },
});

const takeEvent = (state: LiveState, event: Event, now: number): LiveState => {
  if (state.seq === null || event.seq <= state.seq) return state;
  if (event.seq > state.seq + 1) return state.missed ? state : { ...state, missed: true };
  const next = { ...state, seq: event.seq, missed: false };
  switch (event.kind) {
    case "session":
      return { ...next, sessions: withSession(state.sessions, event.data, now) };
    case "checkpoint":
      return { ...next, checkpoints: [...state.checkpoints, event.data].slice(-KEPT_CHECKPOINTS) };
    case "call.started":
      // A replayed start must not undo an end that is already here.
      return state.calls.some((call) => call.id === event.data.id)
        ? next
        : { ...next, calls: withCall(state.calls, event.data) };
    case "calls.grew":
      return { ...next, grown: withGrowth(state, event.data.calls) };
    case "calls.moved": {
      const { calls, to, unassigned } = event.data;
      const moved = new Set(calls);
      const there = (call: CallView): CallView =>
        moved.has(call.id) ? { ...call, sessionId: to, attribution: "moved" } : call;
      return { ...next, unassigned, calls: state.calls.map(there) };
    }
    case "calls.imported":
      return { ...next, unassigned: event.data.unassigned };
    case "session.deleted": {
      const isOf = (call: CallView) => call.sessionId === event.sessionId;
      return {
        ...next,
        sessions: state.sessions.filter(({ view }) => view.id !== event.sessionId),
        checkpoints: state.checkpoints.filter(({ sessionId }) => sessionId !== event.sessionId),
        calls: event.data.calls === "delete" ? state.calls.filter((call) => !isOf(call)) : state.calls,
      };
    }
    case "call.finished":
      return withTotals({ ...next, calls: withCall(state.calls, event.data.call) }, event.data);
    case "forecast":
      return { ...next, sessions: withForetold(state.sessions, event) };
    case "alert":
      return { ...next, alerts: withAlert(state.alerts, event.data) };
    case "limits":
      return { ...next, limits: withLimits(state.limits, event.data) };
    case "alerts.at":
      return { ...next, alertAt: event.data.percent };
    default:
      // A newer server tells of more than this page knows.
      return next;
  }
};

/**
 * Takes a session that the stream told of. The stream is in order; wall time is not, as a clock may be set back. Only
 * an answer can have told of a later revision before.
 */
export const withSession = (sessions: LiveSession[], view: SessionView, now: number): LiveSession[] => {
  const known = revisionOf(sessions, view.id);
  if (known !== undefined && view.revision < known) return sessions;
  const others = sessions.filter((session) => session.view.id !== view.id);
  // One session at most is the current one.
  const rest = view.current ? others.map(notCurrent) : others;
  return [...rest, { view, receivedAt: now }].sort(newestSession);
};

/**
 * Takes a session that an answer of the API brought. One of a revision that is known is left out: the stream has told
 * of it, and perhaps of what came after.
 */
export const withAnswer = (sessions: LiveSession[], view: SessionView, now: number): LiveSession[] => {
  const known = revisionOf(sessions, view.id);
  return known !== undefined && view.revision <= known ? sessions : withSession(sessions, view, now);
};

const revisionOf = (sessions: LiveSession[], id: string): number | undefined =>
  sessions.find(({ view }) => view.id === id)?.view.revision;

const notCurrent = (session: LiveSession): LiveSession =>
  session.view.current ? { ...session, view: { ...session.view, current: false } } : session;

const withCall = (calls: CallView[], call: CallView): CallView[] =>
  [...calls.filter(({ id }) => id !== call.id), call].sort(newestCall).slice(0, KEPT_CALLS);

/** Of what runs only: what has ended has its numbers. */
const withGrowth = (
  { calls, grown }: LiveState,
  told: readonly { id: string; outputSoFar: number }[],
): ReadonlyMap<string, number> => {
  const now = new Map(grown);
  for (const { id, outputSoFar } of told) now.set(id, outputSoFar);
  const running = new Set(calls.filter(({ outcome }) => outcome === "running").map(({ id }) => id));
  for (const id of now.keys()) if (!running.has(id)) now.delete(id);
  return now;
};

const withTotals = (state: LiveState, { call, totals }: { call: CallView; totals: Totals }): LiveState => {
  if (call.sessionId === null) return { ...state, unassigned: totals };
  const sessions = state.sessions.map((session) =>
    session.view.id === call.sessionId
      ? { ...session, view: { ...session.view, usage: totals, tokensUsed: totals.total } }
      : session,
  );
  return { ...state, sessions };
};

/** What is foretold of a session; it says nothing of the rest of it. */
const withForetold = (sessions: LiveSession[], event: Event & { kind: "forecast" }): LiveSession[] => {
  const { burnRate, forecast } = event.data;
  return sessions.map((session) =>
    session.view.id === event.sessionId
      ? { ...session, view: { ...session.view, burnRate, forecast } }
      : session,
  );
};

const withAlert = (alerts: AlertView[], alert: AlertView): AlertView[] => {
  const others = alerts.filter(({ id }) => id !== alert.id);
  return alert.clearedAt === null ? [alert, ...others] : others;
};

/** All that is known of a credential comes at once; without windows it is forgotten. */
const withLimits = (limits: LimitsView[], told: LimitsView): LimitsView[] => {
  const others = limits.filter(
    ({ provider, credential }) => provider !== told.provider || credential !== told.credential,
  );
  if (told.windows.length === 0) return others;
  return [...others, told].sort((a, b) => compareText(a.provider, b.provider) || b.seenAt - a.seenAt);
};

const newestSession = (a: LiveSession, b: LiveSession): number =>
  b.view.createdAt - a.view.createdAt || compareText(b.view.id, a.view.id);

const newestCall = (a: CallView, b: CallView): number => b.startedAt - a.startedAt || compareText(b.id, a.id);

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
