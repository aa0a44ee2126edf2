/**
 * What the palette offers for what was typed. Pure.
 */
import type { SessionView } from "@/api/types.gen";

export type Command =
  | { kind: "page"; id: string; label: string; path: string }
  | { kind: "toggle"; id: string; label: string }
  | { kind: "checkpoint"; id: string; label: string; phase: string }
  | { kind: "complete"; id: string; label: string }
  | { kind: "completeNow"; id: string; label: string }
  | { kind: "session"; id: string; label: string; session: string; note: string }
  | { kind: "shortcuts"; id: string; label: string };

export type Known = {
  pages: readonly { path: string; label: string }[];
  sessions: readonly SessionView[];
  /** The session that the actions are for. */
  open: SessionView | undefined;
};

const SESSIONS_SHOWN = 6;
const CHECKPOINT = /^(?:c|checkpoint)\s+(.+)$/i;

/** What fits `typed`, what begins with it first. */
export const commands = (typed: string, { pages, sessions, open }: Known): Command[] => {
  const wanted = typed.trim().toLowerCase();
  const phase = CHECKPOINT.exec(typed.trim())?.[1];
  if (open && phase) {
    return [{ kind: "checkpoint", id: "checkpoint", label: `Note the checkpoint “${phase}”`, phase }];
  }
  const found = [
    ...(open ? actions(open) : []),
    ...pages.map(
      ({ path, label }): Command => ({ kind: "page", id: `page ${path}`, label: `Go to ${label}`, path }),
    ),
    { kind: "shortcuts", id: "shortcuts", label: "Show keyboard shortcuts" } as const,
    ...sessions.map(
      ({ id, name, status }): Command => ({
        kind: "session",
        id: `session ${id}`,
        label: name,
        session: id,
        note: status,
      }),
    ),
  ].filter(({ label }) => label.toLowerCase().includes(wanted));
  const isSession = ({ kind }: Command): boolean => kind === "session";
  const ranked = [
    ...found.filter((command) => !isSession(command)),
    ...found.filter(isSession).slice(0, SESSIONS_SHOWN),
  ];
  return wanted === "" ? ranked : ranked.sort((a, b) => rank(a, wanted) - rank(b, wanted));
};

const actions = ({ name, status }: SessionView): Command[] => [
  { kind: "toggle", id: "toggle", label: `${status === "active" ? "Pause" : "Resume"} “${name}”` },
  {
    kind: "checkpoint",
    id: "checkpoint",
    label: "Note a checkpoint: type “checkpoint” and its name",
    phase: "",
  },
  { kind: "complete", id: "complete", label: `Complete “${name}”…` },
];

/** A word that begins so comes before one that holds it somewhere. */
const rank = ({ label }: Command, wanted: string): number => {
  const words = label.toLowerCase().split(/[^\p{L}\p{N}]+/u);
  return words.some((word) => word.startsWith(wanted)) || label.toLowerCase().startsWith(wanted) ? 0 : 1;
};
