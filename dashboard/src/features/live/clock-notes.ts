/**
 * What happened to a session's clock, as sentences.
 */
import type { ClockEvent } from "@/api/types.gen";
import { span } from "@/shared/format";

/** How a gap came about, and that the session stands since then. */
const GAPS: Partial<Record<ClockEvent["kind"], string>> = {
  suspended: "The machine slept",
  stalled: "Moonlock was stalled",
  recovered: "Moonlock was not running",
  rebooted: "The machine was restarted",
};

/** One sentence for an event; `null` where there is nothing to tell. */
export const noteText = ({ kind, ms, undone }: ClockEvent): string | null => {
  const length = span(Math.abs(ms ?? 0));
  const gap = GAPS[kind];
  if (gap) return `${gap}: ${length} ${undone ? "counted after all" : "not counted; paused"}`;
  switch (kind) {
    case "slept_through":
      return `The machine slept: ${length} counted`;
    case "clock_jumped":
      return `The machine's clock was set ${(ms ?? 0) < 0 ? "back" : "forward"} by ${length}; the timer is unchanged`;
    case "trimmed":
      return undone ? null : `${length} taken out`;
    default:
      return null;
  }
};

/** The newest event that is worth a line. */
export const newestNote = (told: ClockEvent[]): { event: ClockEvent; text: string } | null => {
  for (const event of told.toReversed()) {
    const text = noteText(event);
    if (text !== null) return { event, text };
  }
  return null;
};
