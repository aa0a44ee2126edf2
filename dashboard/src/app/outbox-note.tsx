import type { ReactNode } from "react";
import { Button } from "@/shared/ui/button";
import { discardWaiting, dismissRefused, useOutbox } from "@/store/outbox";
import { actionText } from "@/store/outbox-queue";

/** What still waits for Moonlock, and what it would not do. */
export const OutboxNote = () => {
  const { waiting, refused } = useOutbox();
  return (
    <div role="status" className="mt-3 mb-4 grid gap-2 empty:hidden lg:mt-1 print:hidden">
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

type NoteProps = { action: string; onAction: () => void; children: ReactNode };

const Note = ({ action, onAction, children }: NoteProps) => (
  <div className="flex items-center gap-3 rounded-card border border-warn/25 bg-warn-soft px-4 py-2 text-sm">
    <p className="min-w-0 flex-1 [overflow-wrap:anywhere]">{children}</p>
    <Button variant="quiet" className="h-8! px-2!" onClick={onAction}>
      {action}
    </Button>
  </div>
);
