/**
 * Calls of the REST API. An answer that is not 2xx is an RFC 9457 problem, and becomes a `Problem`.
 */
import type {
  BudgetView,
  MovedCalls,
  NotificationTest,
  Rule,
  SessionView,
  SettingsView,
  Status,
  StorageView,
} from "@/api/types.gen";

export class Problem extends Error {
  override name = "Problem";
  constructor(
    message: string,
    readonly status: number,
    /** The field of the request that was wrong, where it was one. */
    readonly field: string | undefined,
    /** The session as it is, where the change came too late. */
    readonly session: SessionView | undefined,
  ) {
    super(message);
  }
}

/** What stands at `path`, in the shape that the server's own types promise. */
export const read = async <Data>(path: string, signal?: AbortSignal): Promise<Data> =>
  (await ask("GET", path, undefined, {}, signal)) as Data;

export type NewSession = {
  name: string;
  duration: number | null;
  tokenBudget: number | null;
  costBudgetNanoUsd: number | null;
};

/** Said again under the same key, it starts one session. */
export const createSession = (session: NewSession, key: string): Promise<SessionView> =>
  send("POST", "/api/sessions", session, { "Idempotency-Key": key });

/** Changes where a session stands, whatever became of it since. */
export const setStatus = (id: string, status: Status): Promise<SessionView> =>
  send("PATCH", sessionPath(id), { status });

/** What can be changed of a session. */
export type SessionChange =
  | { status: Status }
  | { countGap: number }
  | { untrim: number }
  | { current: boolean };

/** What a person writes about a session or corrects of its clock. What is left out stays. */
export type SessionEdit = {
  name?: string;
  tags?: string[];
  note?: string | null;
  duration?: number | null;
  tokenBudget?: number | null;
  trim?: { from: number; to: number };
  untrim?: number;
  countGap?: number;
};

/** Changes the session if it still is at `revision`; else the problem has it as it is: nothing typed is lost unseen. */
export const editSession = (id: string, revision: number, edit: SessionEdit): Promise<SessionView> =>
  send("PATCH", sessionPath(id), edit, { "If-Match": `"${revision}"` });

/** Deletes a session that is over; its calls become Unassigned or go with it. */
export const deleteSession = async (id: string, calls: "unassign" | "delete"): Promise<void> => {
  await ask("DELETE", `${sessionPath(id)}?calls=${calls}`);
};

/** Which calls, and where to; `null` is no session. */
export type CallMove = { session: string | null } & (
  | { calls: string[] }
  | { from: number; to: number; fromSession?: string | null }
);

export const moveCalls = async (move: CallMove): Promise<MovedCalls> => {
  const answer = await ask("POST", "/api/calls/move", move);
  if (isRecord(answer) && typeof answer["moved"] === "number") return answer as MovedCalls;
  throw problem(200, answer);
};

/** Changes the session if it still is at `revision`. Another tab may have been faster: then its state is the answer. */
export const changeSession = async (
  id: string,
  revision: number,
  change: SessionChange,
): Promise<SessionView> => {
  try {
    return await send("PATCH", sessionPath(id), change, { "If-Match": `"${revision}"` });
  } catch (error) {
    if (error instanceof Problem && error.status === 409 && error.session) return error.session;
    throw error;
  }
};

/** Notes a moment; it comes back as an event. Said again under the same key, it is noted once. */
export const addCheckpoint = async (id: string, phase: string, key: string): Promise<undefined> => {
  await ask("POST", `${sessionPath(id)}/checkpoints`, { phase }, { "Idempotency-Key": key });
};

/** What the user does with an alert; it comes back as an event. */
export type AlertChange = { acknowledged: boolean } | { snoozedUntil: number | null };

export const changeAlert = async (id: string, change: AlertChange): Promise<void> => {
  await ask("PATCH", `/api/alerts/${encodeURIComponent(id)}`, change);
};

/** Whether alerts of a rule are silent. */
export const muteRule = async (rule: Rule, muted: boolean): Promise<void> => {
  await ask("PATCH", `/api/alert-rules/${encodeURIComponent(rule)}`, { muted });
};

/** What a budget is of, and how much. */
export type BudgetTerms = Pick<
  BudgetView,
  | "name"
  | "period"
  | "provider"
  | "model"
  | "client"
  | "tokenBudget"
  | "budgetCounts"
  | "costBudgetNanoUsd"
  | "atLimit"
>;

export const createBudget = async (terms: BudgetTerms): Promise<void> => {
  await ask("POST", "/api/budgets", terms);
};

/** Changes the budget if it still is at `revision`. */
export const changeBudget = async (id: string, revision: number, terms: BudgetTerms): Promise<void> => {
  await ask("PATCH", `/api/budgets/${encodeURIComponent(id)}`, terms, { "If-Match": `"${revision}"` });
};

export const deleteBudget = async (id: string): Promise<void> => {
  await ask("DELETE", `/api/budgets/${encodeURIComponent(id)}`);
};

/** Settings by their names; `null` is what it comes with. All of them are changed, or none. */
export type SettingChanges = Record<string, unknown>;

export const changeSettings = async (changes: SettingChanges): Promise<SettingsView> =>
  (await ask("PATCH", "/api/settings", changes)) as SettingsView;

/** Copies the database; the answer comes when the copy is whole. */
export const makeBackup = async (): Promise<StorageView> =>
  (await ask("POST", "/api/storage/backup", {})) as StorageView;

/** Sends a test to a target of notifications. */
export const testNotification = async (name: string): Promise<NotificationTest> =>
  (await ask("POST", `/api/notifications/${encodeURIComponent(name)}/test`, {})) as NotificationTest;

const sessionPath = (id: string): string => `/api/sessions/${encodeURIComponent(id)}`;

const send = async (
  method: string,
  path: string,
  body: object,
  headers: Record<string, string> = {},
): Promise<SessionView> => {
  const data = await ask(method, path, body, headers);
  if (isSession(data)) return data;
  throw problem(200, data);
};

const ask = async (
  method: string,
  path: string,
  body?: object,
  headers: Record<string, string> = {},
  signal: AbortSignal | null = null,
): Promise<unknown> => {
  const said = body && { body: JSON.stringify(body) };
  const kind = body && { "Content-Type": "application/json" };
  const answer = await fetch(path, { method, headers: { ...kind, ...headers }, signal, ...said }).catch(
    (error: unknown) => {
      if (signal?.aborted) throw error;
      throw new Problem("Moonlock does not answer. Is it still running?", 0, undefined, undefined);
    },
  );
  const data: unknown = await answer.json().catch(() => undefined);
  if (answer.ok) return data;
  throw problem(answer.status, data);
};

const problem = (status: number, data: unknown): Problem => {
  const { title, detail, field, session } = isRecord(data) ? data : {};
  const message = [detail, title].find((text) => typeof text === "string" && text !== "");
  return new Problem(
    typeof message === "string" ? message : `Moonlock answered with status ${status}.`,
    status,
    typeof field === "string" ? field : undefined,
    [session, data].find(isSession),
  );
};

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null;

const isSession = (value: unknown): value is SessionView =>
  isRecord(value) && typeof value["id"] === "string" && typeof value["revision"] === "number";
