import { type LimitRow, limitGroups } from "@/features/live/limits";
import { percent, span } from "@/shared/format";
import { Panel } from "@/shared/ui/panel";
import { useSeconds } from "@/shared/use-frames";
import { serverNow, useLive } from "@/store/live-store";

const fill = { fine: "bg-accent", near: "bg-warn-fill", critical: "bg-bad", spent: "bg-bad" } as const;
const text = { fine: "", near: "text-warn", critical: "text-bad", spent: "text-bad" } as const;

/** The providers' own limits, as far as they say how much of them is used. */
export const LimitsPanel = () => {
  const limits = useLive((live) => live.state.limits);
  const clock = useLive((live) => live.state.clock);
  const now = serverNow(clock, Math.max(useSeconds(limits.length > 0), clock.receivedAt));
  const alertAt = useLive((live) => live.state.alertAt);
  const groups = limitGroups(limits, now, alertAt);
  if (groups.length === 0) return null;
  return (
    <Panel title="Provider limits">
      <div className="grid gap-4 px-5 pb-5">
        {groups.map(({ key, title, rows }) => (
          <div key={key} className="min-w-0">
            <h3 className="mb-1.5 truncate text-xs font-medium text-muted">{title}</h3>
            <dl className="grid gap-2.5 text-sm">
              {rows.map((row) => (
                <Row key={row.key} row={row} now={now} />
              ))}
            </dl>
          </div>
        ))}
      </div>
    </Panel>
  );
};

const Row = ({ row: { label, used, level, resetsAt }, now }: { row: LimitRow; now: number }) => (
  <div className="grid grid-cols-[minmax(0,1fr)_auto] items-baseline gap-x-3 gap-y-1">
    <dt className="truncate">{label}</dt>
    <dd className="text-xs text-muted">
      {resetsAt !== null && `${used === null ? "" : "resets in "}${span(resetsAt - now)}`}
    </dd>
    {used !== null && (
      <dd className="col-span-2 flex items-center gap-3">
        <span className="block h-1.5 flex-1 overflow-hidden rounded-full bg-sunken" aria-hidden="true">
          <span
            className={`block h-full rounded-full ${fill[level]}`}
            style={{ width: `${Math.min(100, used / 10)}%` }}
          />
        </span>
        <span className={`text-xs ${text[level]}`}>{percent(used, 1_000)} used</span>
      </dd>
    )}
  </div>
);
