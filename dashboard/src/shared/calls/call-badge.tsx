import type { CallView, Source } from "@/api/types.gen";

const sourceWord: Record<Source, string> = {
  exact: "Exact",
  partial: "Partial",
  estimated: "Estimated",
  manual: "Manual",
  imported: "Imported",
};

type Look = { word: string; dot: string; tone: string };

const quiet = (word: string, dot: string): Look => ({ word, dot, tone: "text-muted" });

export const look = ({ outcome, source, status, countedBy }: CallView): Look => {
  // Its numbers are not unknown: they stand in another row.
  if (countedBy !== null) return quiet("Counted elsewhere", "border border-good");
  switch (outcome) {
    case "running":
      return { word: "Running", dot: "bg-accent", tone: "text-accent" };
    case "client_aborted":
      return { word: "Client aborted", dot: "bg-warn-fill", tone: "text-warn" };
    case "upstream_error":
      return {
        word: status === null ? "Upstream error" : `Upstream error ${status}`,
        dot: "bg-bad",
        tone: "text-bad",
      };
    case "stream_error":
      return { word: "Stream error", dot: "bg-bad", tone: "text-bad" };
    case "interrupted":
      return { word: "Interrupted", dot: "bg-warn-fill", tone: "text-warn" };
    case "complete":
      break;
  }
  if (source === null) return quiet("Unknown", "border border-muted");
  return quiet(
    sourceWord[source],
    { exact: "bg-good", partial: "bg-warn-fill" }[source as string] ?? "bg-control",
  );
};

const COUNTED_ELSEWHERE =
  "The same usage came more than once: the response was read again. It counts in one row only.";

type CallBadgeProps = { call: CallView };

/** How a call ended or, where it ended well, where its numbers came from. */
export const CallBadge = ({ call }: CallBadgeProps) => {
  const { word, dot, tone } = look(call);
  return (
    <span
      className={`inline-flex items-center gap-1.5 text-xs whitespace-nowrap ${tone}`}
      title={call.countedBy === null ? (call.error ?? undefined) : COUNTED_ELSEWHERE}
    >
      <span className={`size-1.5 shrink-0 rounded-full ${dot}`} aria-hidden="true" />
      {word}
    </span>
  );
};
