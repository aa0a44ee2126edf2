/**
 * What can be done with a session from anywhere: its buttons, the palette, keys. Each throws a `Problem` with the
 * reason; what finds nobody to do it waits until Moonlock answers.
 */
import type { SessionView, Status } from "@/api/types.gen";
import {
  addCheckpoint,
  changeSession,
  createSession,
  type NewSession,
  type SessionChange,
} from "@/shared/api-client";
import { receiveSession, useLive } from "@/store/live-store";
import { perform } from "@/store/outbox";
import { shownSession } from "@/store/shown-session";
import { selectSession, useUi } from "@/store/ui-store";

export const startSession = async (asked: NewSession): Promise<void> => {
  const started = await perform({ kind: "start", asked }, (key) => createSession(asked, key));
  if (started) selectSession(null);
};

/** What makes no sense later is not kept. */
export const change = async (view: SessionView, asked: SessionChange): Promise<void> =>
  receiveSession(await changeSession(view.id, view.revision, asked));

const setStatus = async (view: SessionView, status: Status): Promise<void> => {
  const { id, name, revision } = view;
  const changed = await perform({ kind: "status", session: id, name, status }, () =>
    changeSession(id, revision, { status }),
  );
  // The result stays in view, also if another session is open.
  if (changed?.status === "completed") selectSession(id);
};

/** Pauses a session that runs, resumes one that is paused. */
export const toggle = (view: SessionView): Promise<void> =>
  setStatus(view, view.status === "active" ? "paused" : "active");

export const complete = (view: SessionView): Promise<void> => setStatus(view, "completed");

export const checkpoint = async ({ id, name }: SessionView, phase: string): Promise<void> => {
  await perform({ kind: "checkpoint", session: id, name, phase }, (key) => addCheckpoint(id, phase, key));
};

/** The session that Live shows, if it is not over. */
export const openSession = (): SessionView | undefined => {
  const view = shownSession(useLive.getState().state.sessions, useUi.getState())?.view;
  return view?.status === "completed" ? undefined : view;
};
