import { type FormEvent, useState } from "react";
import type { ClockEvent, SessionView } from "@/api/types.gen";
import { noteText } from "@/features/live/clock-notes";
import { editSession, Problem, type SessionEdit } from "@/shared/api-client";
import { rangeOf } from "@/shared/calls/local-time";
import { RangeFields } from "@/shared/calls/range-fields";
import { day, span } from "@/shared/format";
import { Button } from "@/shared/ui/button";
import { Dialog } from "@/shared/ui/dialog";
import { receiveSession, serverNow, useLive } from "@/store/live-store";

/** How far back the fields begin. */
const LAST = 10 * 60_000;

const canBeTakenBack = (event: ClockEvent): boolean =>
  event.countable || (event.kind === "trimmed" && !event.undone);

type TimeDialogProps = { view: SessionView; onClose: () => void };

/** Takes a mistaken stretch out of the session's time, puts it back, and counts what a gap left out. */
export const TimeDialog = ({ view, onClose }: TimeDialogProps) => {
  const clock = useLive((live) => live.state.clock);
  const [now] = useState(() => serverNow(clock, performance.now()));
  const [range] = useState(() => {
    const to = view.endedAt ?? now;
    return { from: Math.max(view.startedAt, to - LAST), to };
  });
  const [problem, setProblem] = useState<string>();

  const change = async (edit: SessionEdit): Promise<void> => {
    try {
      receiveSession(await editSession(view.id, view.revision, edit));
      setProblem(undefined);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      if (error.session) receiveSession(error.session);
      setProblem(error.message);
    }
  };
  const submit = async (event: FormEvent<HTMLFormElement>): Promise<void> => {
    event.preventDefault();
    const stretch = rangeOf(new FormData(event.currentTarget));
    if ("problem" in stretch) return setProblem(stretch.problem);
    await change({ trim: stretch });
  };

  const events = view.told.filter(canBeTakenBack).toReversed();
  return (
    <Dialog title="Correct the time" onClose={onClose}>
      <p className="mb-3 text-sm text-muted" data-testid="corrected">
        {span(view.elapsedMs)} counted, {span(view.trimmedMs)} taken out. Calls of a stretch that is taken out
        stay with the session.
      </p>
      <form onSubmit={submit} noValidate className="grid gap-3">
        <RangeFields range={range} problem={problem} />
        <div className="flex justify-end gap-2">
          <Button variant="quiet" onClick={onClose}>
            Close
          </Button>
          <Button type="submit" variant="primary">
            Take it out
          </Button>
        </div>
      </form>
      {events.length > 0 && (
        <ul aria-label="What can be taken back" className="mt-4 grid gap-1 border-t border-line pt-3 text-sm">
          {events.map((event) => (
            <li key={event.seq} className="flex flex-wrap items-center justify-between gap-x-3">
              <span className="min-w-0 text-muted">
                {day(event.at, now)} · {noteText(event)}
              </span>
              {event.countable ? (
                <Button variant="quiet" onClick={() => change({ countGap: event.seq })}>
                  Count it
                </Button>
              ) : (
                <Button variant="quiet" onClick={() => change({ untrim: event.seq })}>
                  Put it back
                </Button>
              )}
            </li>
          ))}
        </ul>
      )}
    </Dialog>
  );
};
