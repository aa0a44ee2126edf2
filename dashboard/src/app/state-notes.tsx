import type { ReactNode } from "react";
import { useLocation } from "wouter";
import { time } from "@/shared/format";
import { Button } from "@/shared/ui/button";
import { useLive } from "@/store/live-store";
import { discardWaiting, dismissRefused, useOutbox } from "@/store/outbox";
import { actionText } from "@/store/outbox-queue";

/** That nobody answers, what still waits for Moonlock, and what it would not do. */
export const StateNotes = () => {
  const { waiting, refused } = useOutbox();
  return (
    <div role="status" className="mt-3 mb-4 grid gap-2 empty:hidden lg:mt-1 print:hidden">
      <Away />
      {waiting.length > 0 && (
        <Note action="Discard" onAction={discardWaiting}>
          <span className="font-medium">Waiting for Moonlock to answer: </span>
          {waiting.map(({ action }) => actionText(action)).join(", ")}.
        </Note>
      )}
      {refused.length > 0 && (
        <Note action="Dismiss" onAction={dismissRefused}>
          <span className="font-medium">Could not be done: </span>
          {refused.map(({ action, reason }) => `${actionText(action)} (${reason})`).join(", ")}
        </Note>
      )}
    </div>
  );
};

/** What is shown goes on to look alive: that it is of a while ago must not be missed. */
const Away = () => {
  const [location] = useLocation();
  const since = useLive(({ connection }) => (connection.kind === "offline" ? connection.since : null));
  const hasState = useLive((live) => live.state.seq !== null);
  // The first page has nothing else to say then.
  if (since === null || (!hasState && location === "/")) return null;
  return (
    <Note>
      <span className="font-medium">Moonlock has not answered since {time(since)}. </span>
      {hasState ? "What you see is from then; what you do waits. " : "Is it still running? "}
      This page goes on by itself when it is back.
    </Note>
  );
};

type NoteProps = { action?: string; onAction?: () => void; children: ReactNode };

const Note = ({ action, onAction, children }: NoteProps) => (
  <div className="flex min-h-12 items-center gap-3 rounded-card border border-warn/25 bg-warn-soft px-4 py-2 text-sm">
    <p className="min-w-0 flex-1 text-pretty [overflow-wrap:anywhere]">{children}</p>
    {action && (
      <Button size="small" onClick={onAction}>
        {action}
      </Button>
    )}
  </div>
);
