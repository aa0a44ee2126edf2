/**
 * Calls of the REST API. An answer that is not 2xx is an RFC 9457 problem, and becomes a `Problem`.
 */
import type { SessionView, Status } from "@/api/types.gen";

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

export type NewSession = { name: string; duration: number | null; tokenBudget: number | null };

export const createSession = (session: NewSession): Promise<SessionView> =>
  send("POST", "/api/sessions", session);

/** Changes the session if it still is at `revision`. Another tab may have been faster: then its state is the answer. */
export const changeStatus = async (id: string, revision: number, status: Status): Promise<SessionView> => {
  try {
    const headers = { "If-Match": `"${revision}"` };
    return await send("PATCH", `/api/sessions/${encodeURIComponent(id)}`, { status }, headers);
  } catch (error) {
    if (error instanceof Problem && error.status === 409 && error.session) return error.session;
    throw error;
  }
};

const send = async (
  method: string,
  path: string,
  body: object,
  headers: Record<string, string> = {},
): Promise<SessionView> => {
  const answer = await fetch(path, {
    method,
    headers: { "Content-Type": "application/json", ...headers },
    body: JSON.stringify(body),
  }).catch(() => {
    throw new Problem("Moonlock does not answer. Is it still running?", 0, undefined, undefined);
  });
  const data: unknown = await answer.json().catch(() => undefined);
  if (answer.ok && isSession(data)) return data;
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
