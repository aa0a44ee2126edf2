import { memo, useRef } from "react";
import type { CallView, IntervalView } from "@/api/types.gen";
import { CallBadge } from "@/shared/calls/call-badge";
import { CALL_GRID } from "@/shared/calls/call-headings";
import { estimateNotes, sureness } from "@/shared/calls/sureness";
import { compact, count, exactTime, latency, money, seconds, UNKNOWN } from "@/shared/format";
import { useFrames } from "@/shared/use-frames";
import { serverNow, useLive, useSoFar } from "@/store/live-store";
import { useZoneChanges } from "@/store/ui-store";

type CallRowProps = {
  call: CallView;
  /** What a row is part of: an item of a list that is drawn whole, or the inside of one that is not. */
  as?: "li" | "div";
  /** The session's name, where the list holds more than one's calls. */
  place: string | undefined;
  /** Whether it is picked; `undefined` where none can be. */
  picked: boolean | undefined;
  onPick: (id: string, isPicked: boolean) => void;
  /** Shows all of it. */
  onOpen: (id: string) => void;
};

/** A list that is drawn whole may hold fifty rows that grow many times a second: those out of sight cost nothing. */
const OUT_OF_SIGHT = "last:border-b-0 [contain-intrinsic-size:auto_3.75rem] [content-visibility:auto]";

export const CallRow = memo(({ call, as: Row = "li", place, picked, onPick, onOpen }: CallRowProps) => {
  useZoneChanges();
  const running = call.outcome === "running";
  const agent = call.agent === null ? null : "sub-agent";
  const origin = [call.provider, call.client ?? call.operation, agent, place].filter(Boolean).join(" · ");
  return (
    <Row
      className={`${CALL_GRID} relative border-b border-line/60 py-2.5 text-sm hover:bg-sunken/60 ${Row === "li" ? OUT_OF_SIGHT : ""} ${picked === undefined ? "" : "pl-12"}`}
      data-outcome={call.outcome}
    >
      {picked !== undefined && (
        <input
          type="checkbox"
          checked={picked}
          onChange={({ target }) => onPick(call.id, target.checked)}
          aria-label={`${call.model ?? call.requestModel ?? "model unknown"} at ${exactTime(call.startedAt)}`}
          className="absolute top-1/2 left-5 z-[1] size-4 -translate-y-1/2"
        />
      )}
      <div className="min-w-0 @3xl:col-start-2 @3xl:row-start-1">
        <p className="flex">
          <button
            type="button"
            onClick={() => onOpen(call.id)}
            aria-haspopup="dialog"
            className="min-w-0 truncate rounded font-medium after:absolute after:inset-0 focus-visible:outline-offset-0"
          >
            {call.model ?? call.requestModel ?? "model unknown"}
          </button>
        </p>
        <p className="hidden truncate text-xs text-muted @3xl:block">{origin}</p>
      </div>
      <div className="flex justify-self-end @3xl:col-start-6 @3xl:row-start-1 @3xl:justify-self-start">
        <CallBadge call={call} />
      </div>
      <p className="@3xl:col-start-3 @3xl:row-start-1 @3xl:text-right">
        {running ? <SoFar call={call} /> : <Flow call={call} />}
      </p>
      <p className="text-right @3xl:col-start-4 @3xl:row-start-1">
        <span className="sr-only">Cost: </span>
        {call.costNanoUsd === null ? <Muted text={UNKNOWN} /> : money(call.costNanoUsd)}
      </p>
      <p className="truncate text-xs text-muted @3xl:col-start-1 @3xl:row-start-1">
        <time dateTime={new Date(call.startedAt).toISOString()}>{exactTime(call.startedAt)}</time>
        <span className="@3xl:hidden"> · {origin}</span>
      </p>
      <p className="text-right text-xs whitespace-nowrap text-muted @3xl:col-start-5 @3xl:row-start-1">
        <span className="sr-only">Latency: </span>
        {running ? (
          <Growing startedAt={call.startedAt} />
        ) : (
          [call.ttftMs, call.durationMs]
            .filter((ms) => ms !== null)
            .map(latency)
            .join(" · ") || UNKNOWN
        )}
      </p>
    </Row>
  );
});

/** `≈ 1.2k`, growing while the stream runs. */
const SoFar = ({ call }: { call: CallView }) => {
  const tokens = useSoFar(call);
  if (tokens === null) return <Muted text={UNKNOWN} />;
  return (
    // Of a size of its own: what grows many times a second lays out nothing else.
    <span
      className="inline-block h-5 w-28 align-bottom whitespace-nowrap text-muted [contain:strict]"
      title="out so far, by the bytes that have passed"
    >
      <span aria-hidden="true">→ ≈ </span>
      <span className="sr-only">About </span>
      {compact(tokens)}
      <span className="sr-only"> out so far</span>
    </span>
  );
};

const Muted = ({ text }: { text: string }) => <span className="text-muted">{text}</span>;

/** `48.2k → 1.1k (49.3k)` */
const Flow = ({ call }: { call: CallView }) => {
  const known = [call.input, call.cacheRead, call.cacheWrite].filter((tokens) => tokens !== null);
  const prompt = known.length === 0 ? null : known.reduce((sum, tokens) => sum + tokens, 0);
  if (prompt === null && call.output === null) {
    return call.total === null ? <Muted text={UNKNOWN} /> : compact(call.total);
  }
  return (
    <span
      className="whitespace-nowrap"
      title={[
        `${count(prompt)} in (${count(call.cacheRead)} from the cache), ${count(call.output)} out (${count(call.reasoning)} reasoning)`,
        ...estimateNotes(call.estimate),
      ].join("\n")}
    >
      <Sureness of={call.estimate?.input} />
      {compact(prompt)} <span className="text-muted">→</span> <Sureness of={call.estimate?.output} />
      {compact(call.output)} <span className="text-xs text-muted">({compact(call.total)})</span>
    </span>
  );
};

/** `≈ ` or `≥ ` before a number that was estimated; nothing before the provider's own. */
const Sureness = ({ of }: { of: IntervalView | null | undefined }) => {
  if (!of) return null;
  const { sign, word } = sureness(of);
  return (
    <>
      <span aria-hidden="true">{sign} </span>
      <span className="sr-only">{word} </span>
    </>
  );
};

const Growing = ({ startedAt }: { startedAt: number }) => {
  const text = useRef<HTMLSpanElement>(null);
  const clock = useLive((live) => live.state.clock);
  useFrames(true, (now) => {
    const grown = seconds(serverNow(clock, now) - startedAt);
    if (text.current && text.current.textContent !== grown) text.current.textContent = grown;
  });
  // Of a size of its own, as the clock's: what grows ten times a second lays out nothing else.
  return <span ref={text} className="inline-block h-4 w-16 align-bottom [contain:strict]" />;
};
