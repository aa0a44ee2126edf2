import { useState } from "react";
import type { SessionView } from "@/api/types.gen";
import { newestNote } from "@/features/live/clock-notes";
import { changeSession, Problem } from "@/shared/api-client";
import { Button } from "@/shared/ui/button";
import { receiveSession } from "@/store/live-store";

/** The newest thing that happened to the session's clock, and its remedy. */
export const ClockNote = ({ view }: { view: SessionView }) => {
  const [problem, setProblem] = useState<string>();
  const note = newestNote(view.told);
  if (!note) return null;
  const { event, text } = note;
  const change = async (body: { countGap: number } | { untrim: number }): Promise<void> => {
    try {
      receiveSession(await changeSession(view.id, view.revision, body));
      setProblem(undefined);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      setProblem(error.message);
    }
  };
  return (
    <div className="flex flex-wrap items-center gap-x-3 gap-y-1 text-sm text-muted" data-testid="clock-note">
      <p>{text}</p>
      {event.countable && (
        <Button variant="quiet" onClick={() => change({ countGap: event.seq })}>
          Count it
        </Button>
      )}
      {event.kind === "trimmed" && (
        <Button variant="quiet" onClick={() => change({ untrim: event.seq })}>
          Put it back
        </Button>
      )}
      {problem && (
        <p role="alert" className="text-bad">
          {problem}
        </p>
      )}
    </div>
  );
};
