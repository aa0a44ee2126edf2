import type { WindowView } from "@/api/types.gen";
import { type Level, leftText, levelOf, levelWord } from "@/features/limits/windows";
import { countdown, day, percent } from "@/shared/format";
import { AlertIcon, CheckIcon, CloseIcon } from "@/shared/ui/icons";
import { windowLabel } from "@/shared/windows";
import { useLive } from "@/store/live-store";

const fill: Record<Level, string> = {
  fine: "bg-accent",
  near: "bg-warn-fill",
  nearly: "bg-bad",
  spent: "bg-bad",
  unknown: "bg-control",
};
const tone: Record<Level, string> = {
  fine: "text-good",
  near: "text-warn",
  nearly: "text-bad",
  spent: "text-bad",
  unknown: "text-muted",
};
const shape = {
  fine: CheckIcon,
  near: AlertIcon,
  nearly: AlertIcon,
  spent: CloseIcon,
  unknown: null,
} as const;

/** One window: how far it is used, and when it resets. */
export const WindowRow = ({ window, now }: { window: WindowView; now: number }) => {
  const { usedPermille, resetsAt, deciding } = window;
  const level = levelOf(
    window,
    now,
    useLive((live) => live.state.alertAt),
  );
  const isKnown = level !== "unknown" && usedPermille !== null;
  const Icon = shape[level];
  const left = level === "unknown" ? null : leftText(window);
  return (
    <li data-testid="window" className="border-t border-line/60 px-5 py-3.5">
      <div className="flex flex-wrap items-baseline justify-between gap-x-4 gap-y-1 text-sm">
        <h3 className="font-medium first-letter:uppercase">
          {windowLabel(window)}
          {deciding && <span className="ml-2 text-xs font-normal text-muted">decides now</span>}
        </h3>
        <span className={`inline-flex items-center gap-1.5 text-xs font-medium ${tone[level]}`}>
          {Icon && <Icon className="size-3.5 self-center" />}
          {levelWord[level]}
        </span>
      </div>
      {isKnown && (
        <div className="mt-2 flex items-center gap-3">
          <span className="block h-2 flex-1 overflow-hidden rounded-full bg-sunken" aria-hidden="true">
            <span
              className={`block h-full rounded-full ${fill[level]}`}
              style={{ width: `${Math.min(100, usedPermille / 10)}%` }}
            />
          </span>
          <span className="text-sm">
            {percent(usedPermille, 1_000)} <span className="sr-only">used</span>
          </span>
        </div>
      )}
      <p className="mt-1.5 flex flex-wrap justify-between gap-x-4 text-xs text-muted">
        {left && <span>{left}</span>}
        {resetsAt === null ? null : resetsAt <= now || window.stale ? (
          <span>It has reset; the next reply says how much is used.</span>
        ) : (
          <span>
            resets in <span className="text-ink">{countdown(resetsAt - now)}</span> ·{" "}
            <time dateTime={new Date(resetsAt).toISOString()}>{day(resetsAt, now)}</time>
          </span>
        )}
      </p>
    </li>
  );
};
