import type { ReactNode } from "react";
import type { Ahead, Estimate, OverrunTone } from "@/features/live/forecast";
import { UNKNOWN } from "@/shared/format";

const tones: Record<OverrunTone, string> = {
  calm: "text-ink",
  likely: "font-medium text-warn",
  "nearly-certain": "font-medium text-bad",
};

/**
 * What is foretold of one of a session's numbers, below that number. Every row has its place from the beginning: a
 * forecast that comes, changes or goes moves nothing.
 */
export const AheadRows = ({
  ahead: { rate, endLabel, end, budget, lasts, overrun, tone },
}: {
  ahead: Ahead;
}) => (
  <dl className="mt-3 grid gap-1 border-t border-line/60 pt-2.5">
    <Row label="Rate now">{rate ?? <NotYet />}</Row>
    <Row label={endLabel}>{end ? <Range of={end} /> : <NotYet />}</Row>
    {budget === "left" && (
      <>
        <Row label="Budget lasts">{lasts ? <Range of={lasts} /> : <NotYet />}</Row>
        <Row label="Over budget">{overrun ? <span className={tones[tone]}>{overrun}</span> : <NotYet />}</Row>
      </>
    )}
    {budget === "spent" && (
      <>
        <Row label="Budget lasts">used up</Row>
        <Row label="Over budget">
          <span className={tones[tone]}>already</span>
        </Row>
      </>
    )}
  </dl>
);

const NotYet = () => (
  <>
    <span aria-hidden="true" className="text-muted">
      {UNKNOWN}
    </span>
    <span className="sr-only">not known yet</span>
  </>
);

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
