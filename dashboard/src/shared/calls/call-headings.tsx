/** One grid for the headings and the rows of the calls; in a narrow place a row is three short lines. */
export const CALL_GRID =
  "grid grid-cols-[minmax(0,1fr)_auto] gap-x-4 gap-y-0.5 px-5 @3xl:grid-cols-[4rem_minmax(9rem,1fr)_minmax(8.5rem,auto)_4rem_7rem_7.75rem] @3xl:items-center";

export const CallHeadings = ({ className = "" }: { className?: string }) => (
  <div
    aria-hidden="true"
    className={`${CALL_GRID} hidden border-b border-line py-2.5 text-xs text-muted @3xl:grid ${className}`}
  >
    <span>Time</span>
    <span>Model</span>
    <span className="text-right">In → out (all)</span>
    <span className="text-right">Cost</span>
    <span className="text-right">First byte · all</span>
    <span>Source</span>
  </div>
);
