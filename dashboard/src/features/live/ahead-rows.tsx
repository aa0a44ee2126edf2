import type { ReactNode } from "react";
import type { Ahead, Estimate, OverrunTone } from "@/features/live/forecast";

const tones: Record<OverrunTone, string> = {
  calm: "text-ink",
  likely: "font-medium text-warn",
  "nearly-certain": "font-medium text-bad",
};

/** What is foretold of one of a session's numbers, below that number. */
export const AheadRows = ({ ahead: { rate, endLabel, end, lasts, overrun, tone } }: { ahead: Ahead }) => {
  if (!rate && !end) return null;
  return (
    <dl className="mt-3 grid gap-1 border-t border-line/60 pt-2.5">
      {rate && <Row label="Rate now">{rate}</Row>}
      {end && <Row label={endLabel}>{<Range of={end} />}</Row>}
      {lasts && <Row label="Budget lasts">{<Range of={lasts} />}</Row>}
      {overrun && (
        <Row label="Over budget">
          <span className={tones[tone]}>{overrun}</span>
        </Row>
      )}
    </dl>
  );
};

const Row = ({ label, children }: { label: string; children: ReactNode }) => (
  <div className="flex flex-wrap items-baseline justify-between gap-x-4">
    <dt>{label}</dt>
    <dd className="ml-auto text-right text-ink">{children}</dd>
  </div>
);

const Range = ({ of: { about, range, words } }: { of: Estimate }) => (
  <>
    <span className="sr-only">{words}</span>
    <span aria-hidden="true">
      <span className="font-medium whitespace-nowrap">{about}</span>
      {range && <span className="ml-2 whitespace-nowrap text-muted">{range}</span>}
    </span>
  </>
);
