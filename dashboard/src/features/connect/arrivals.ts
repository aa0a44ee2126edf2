/**
 * Which of the calls that come is the one that was waited for. Pure.
 */
import type { CallView, Tool } from "@/api/types.gen";

/** What came since the waiting began. */
export type Arrival = {
  call: CallView;
  /** Whether the tool that is shown made it. A client that says nothing of itself may be any. */
  isFromTool: boolean;
};

/** The newest call that began at `since` or later; one of the tool's before any other. `calls`: newest first. */
export const arrival = (
  calls: readonly CallView[],
  { clients }: Pick<Tool, "clients">,
  since: number,
): Arrival | undefined => {
  const came = calls.filter(({ startedAt }) => startedAt >= since);
  const own = came.find(({ client }) => client !== null && clients.includes(client));
  const call = own ?? came[0];
  return call && { call, isFromTool: own !== undefined };
};

/** When one of these clients last called, of the calls that are known. */
export const lastSeen = (
  calls: readonly CallView[],
  { clients }: Pick<Tool, "clients">,
): number | undefined => calls.find(({ client }) => client !== null && clients.includes(client))?.startedAt;

/** What to do with a tool's text. */
export const placeOf = ({ file, language }: Pick<Tool, "file" | "language">): string => {
  if (file !== null) return `Put this into ${file}:`;
  switch (language) {
    case "sh":
      return "Type this in the shell that starts it:";
    case "text":
      return "In its settings:";
    default:
      return "In your code:";
  }
};

/** Whether undoing it is something to type as well. */
export const isTyped = (undo: string): boolean => undo.startsWith("unset ");
