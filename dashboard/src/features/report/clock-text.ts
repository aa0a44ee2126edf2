import type { ClockEvent } from "@/api/types.gen";
import { span } from "@/shared/format";

/** What happened to a session's clock, in a few words. */
export const clockText = ({ kind, ms, undone }: ClockEvent): string => {
  const length = ms === null ? "" : span(Math.abs(ms));
  const gap = (what: string): string =>
    `${what}${length && `: ${length} ${undone ? "counted" : "not counted"}`}`;
  switch (kind) {
    case "started":
      return "Started";
    case "paused":
      return "Paused";
    case "resumed":
      return "Resumed";
    case "completed":
      return "Completed";
    case "limit_reached":
      return "Its planned time was over";
    case "extended":
      return length ? `Planned for ${length}` : "Open-ended";
    case "trimmed":
      return `${length} taken out${undone ? ", and put back" : ""}`;
    case "untrimmed":
      return "A stretch put back";
    case "gap_counted":
      return "A gap counted after all";
    case "suspended":
      return gap("The machine slept");
    case "slept_through":
      return `The machine slept: ${length} counted`;
    case "stalled":
      return gap("Moonlock was stalled");
    case "recovered":
      return gap("Moonlock was not running");
    case "rebooted":
      return gap("The machine was restarted");
    case "clock_jumped":
      return `The machine’s clock was set ${(ms ?? 0) < 0 ? "back" : "forward"} by ${length}`;
  }
};
