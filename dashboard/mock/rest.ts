/**
 * What the pages read beside the live state: one table of paths and answers.
 */
import type { IncomingMessage } from "node:http";
import type { Change } from "../src/api/types.gen";
import { changeRule, listAlerts, listRules, trackRecord } from "./alerts";
import { connect } from "./connect";
import { listTargets, testTarget } from "./notifications";
import {
  listCalls,
  listSessions,
  noteCheckpoint,
  oneCall,
  oneSession,
  sessionCheckpoints,
  sessionCurve,
} from "./readings";
import {
  compareSessions,
  deleteSession,
  sessionEfficiency,
  sessionEvents,
  sessionPast,
  sessionTokens,
} from "./reports";
import type { Scene } from "./scene";
import {
  backUp,
  calibration,
  changeBudget,
  changeSettings,
  createBudget,
  deleteBudget,
  listBudgets,
  listSettings,
  storage,
} from "./settings";
import { usage } from "./usage";

export type Reply = [status: number, body: object];

export type Asked = {
  params: URLSearchParams;
  /** What the path names. */
  id: string;
  /** The `Idempotency-Key`; "" if there is none. */
  key: string;
  body: Record<string, unknown>;
  scene: Scene;
  publish: (change: Change, sessionId?: string) => void;
};

type Answer = (asked: Asked) => Reply;

const answers: [method: string, path: RegExp, Answer][] = [
  ["GET", /^\/api\/connect$/, connect],
  ["GET", /^\/api\/calls$/, listCalls],
  ["GET", /^\/api\/calls\/([^/]+)$/, oneCall],
  ["GET", /^\/api\/sessions$/, listSessions],
  ["GET", /^\/api\/sessions\/compare$/, compareSessions],
  ["GET", /^\/api\/sessions\/([^/]+)$/, oneSession],
  ["DELETE", /^\/api\/sessions\/([^/]+)$/, deleteSession],
  ["GET", /^\/api\/sessions\/([^/]+)\/events$/, sessionEvents],
  ["GET", /^\/api\/sessions\/([^/]+)\/tokens$/, sessionTokens],
  ["GET", /^\/api\/sessions\/([^/]+)\/efficiency$/, sessionEfficiency],
  ["GET", /^\/api\/sessions\/([^/]+)\/past$/, sessionPast],
  ["GET", /^\/api\/sessions\/([^/]+)\/curve$/, sessionCurve],
  ["GET", /^\/api\/sessions\/([^/]+)\/checkpoints$/, sessionCheckpoints],
  ["POST", /^\/api\/sessions\/([^/]+)\/checkpoints$/, noteCheckpoint],
  ["GET", /^\/api\/alerts$/, listAlerts],
  ["GET", /^\/api\/alert-rules$/, listRules],
  ["PATCH", /^\/api\/alert-rules\/([^/]+)$/, changeRule],
  ["GET", /^\/api\/forecast\/track-record$/, trackRecord],
  ["GET", /^\/api\/analytics\/usage$/, usage],
  ["GET", /^\/api\/settings$/, listSettings],
  ["PATCH", /^\/api\/settings$/, changeSettings],
  ["GET", /^\/api\/storage$/, storage],
  ["POST", /^\/api\/storage\/backup$/, backUp],
  ["GET", /^\/api\/notifications$/, listTargets],
  ["POST", /^\/api\/notifications\/([^/]+)\/test$/, testTarget],
  ["GET", /^\/api\/calibration$/, calibration],
  ["GET", /^\/api\/budgets$/, listBudgets],
  ["POST", /^\/api\/budgets$/, createBudget],
  ["PATCH", /^\/api\/budgets\/([^/]+)$/, changeBudget],
  ["DELETE", /^\/api\/budgets\/([^/]+)$/, deleteBudget],
];

export const rest = (
  { method, url = "/", headers }: IncomingMessage,
  body: unknown,
  known: Pick<Asked, "scene" | "publish">,
): Reply | undefined => {
  const { pathname, searchParams } = new URL(url, "http://mock");
  for (const [asked, path, answer] of answers) {
    const found = asked === method ? path.exec(pathname) : null;
    if (!found) continue;
    const id = decodeURIComponent(found[1] ?? "");
    const key = String(headers["idempotency-key"] ?? "");
    return answer({ ...known, params: searchParams, id, key, body: (body ?? {}) as Record<string, unknown> });
  }
  return undefined;
};
