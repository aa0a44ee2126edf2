import { memo } from "react";
import { Link } from "wouter";
import type { SessionView } from "@/api/types.gen";
import { compact, count, day, money, percent, plural, span, UNKNOWN } from "@/shared/format";
import { budgetLevel, countedTokens } from "@/shared/session/budget";
import { elapsedAt } from "@/shared/session/elapsed";
import { StatusBadge } from "@/shared/session/status-badge";
import { useSeconds } from "@/shared/use-frames";
import type { LiveSession } from "@/store/live-reducer";
import { useLive } from "@/store/live-store";
import { useZoneChanges } from "@/store/ui-store";

/** One grid for the headings and the rows; in a narrow place a row is three short lines. */
const SESSION_GRID =
  "grid grid-cols-[minmax(0,1fr)_auto] gap-x-4 gap-y-0.5 pr-5 pl-12 @4xl:grid-cols-[minmax(10rem,1fr)_6.5rem_7rem_6rem_4.5rem_5rem_5rem_5rem] @4xl:items-center";

export const SessionHeadings = () => (
  <div
    aria-hidden="true"
    className={`${SESSION_GRID} hidden border-b border-line py-2.5 text-xs text-muted @4xl:grid`}
  >
    <span>Name</span>
    <span>Status</span>
    <span>Started</span>
    <span className="text-right">Time</span>
    <span className="text-right">Calls</span>
    <span className="text-right">Tokens</span>
    <span className="text-right">Cost</span>
    <span className="text-right">Budget</span>
  </div>
);

type SessionRowProps = {
  session: LiveSession;
  /** The server's clock now. */
  now: number;
  picked: boolean;
  /** Whether one more can be picked. */
  canPick: boolean;
  onPick: (id: string, isPicked: boolean) => void;
};

export const SessionRow = memo(({ session, now, picked, canPick, onPick }: SessionRowProps) => {
  useZoneChanges();
  const { view } = session;
  const { id, name, status, usage, tags } = view;
  const elapsed = elapsedAt(session, useSeconds(status === "active"));
  return (
    <div className={`${SESSION_GRID} relative border-b border-line/60 py-2.5 text-sm hover:bg-sunken/60`}>
      <input
        type="checkbox"
        checked={picked}
        disabled={!picked && !canPick}
        onChange={({ target }) => onPick(id, target.checked)}
        aria-label={`Compare ${name}`}
        className="absolute top-1/2 left-5 z-[1] size-4 -translate-y-1/2"
      />
      <div className="min-w-0">
        <Link
          href={`/sessions/${id}`}
          className="line-clamp-2 rounded font-medium [overflow-wrap:anywhere] @4xl:line-clamp-1 after:absolute after:inset-0 focus-visible:outline-offset-0"
        >
          {name}
        </Link>
        {tags.length > 0 && <p className="truncate text-xs text-muted">{tags.join(" · ")}</p>}
      </div>
      <div className="flex justify-end @4xl:justify-start">
        <StatusBadge status={status} />
      </div>
      <p className="text-xs text-muted @4xl:text-sm">
        {day(view.startedAt, now)}
        <span className="@4xl:hidden"> · {span(elapsed)}</span>
      </p>
      <p className="hidden text-right @4xl:block">{span(elapsed)}</p>
      <p className="hidden text-right @4xl:block">{count(usage.requests)}</p>
      <p className="text-right">
        {compact(usage.total)}
        <span className="text-muted @4xl:sr-only"> tokens</span>
      </p>
      <p className="text-left @4xl:text-right">
        <span className="sr-only">Cost: </span>
        {money(usage.costNanoUsd)}
      </p>
      <p className="text-right text-xs text-muted @4xl:text-sm">
        <Budget view={view} />
      </p>
    </div>
  );
});

const tone = { fine: "", near: "text-warn", critical: "text-bad", spent: "text-bad" } as const;

/** How much of the budget is used; where nothing says that it is one, and there is none, how many calls there were. */
const Budget = ({ view }: { view: SessionView }) => {
  const { tokenBudget, usage } = view;
  const alertAt = useLive((live) => live.state.alertAt);
  if (tokenBudget === null) {
    return (
      <>
        <span className="@4xl:hidden">{plural(usage.requests, "call")}</span>
        <span className="hidden @4xl:inline">{UNKNOWN}</span>
      </>
    );
  }
  const used = countedTokens(view);
  return (
    <span className={tone[budgetLevel(used, tokenBudget, alertAt)]}>
      {percent(used, tokenBudget)}
      <span className="@4xl:sr-only"> of budget</span>
    </span>
  );
};
