import { Checkpoints } from "@/features/live/checkpoints";
import { ClockNote } from "@/features/live/clock-note";
import { MoonDial } from "@/features/live/moon-dial";
import { SessionActions } from "@/features/live/session-actions";
import { SessionClock } from "@/features/live/session-clock";
import { day, percent, span, time } from "@/shared/format";
import { elapsedAt } from "@/shared/session/elapsed";
import { StatusBadge } from "@/shared/session/status-badge";
import { useSeconds } from "@/shared/use-frames";
import type { LiveSession } from "@/store/live-reducer";
import { serverNow, useLive } from "@/store/live-store";

type SessionHeroProps = { session: LiveSession };

export const SessionHero = ({ session }: SessionHeroProps) => {
  const { view } = session;
  const now = useSeconds(view.status === "active");
  const clock = useLive((live) => live.state.clock);
  const elapsed = elapsedAt(session, now);

  const timing = (): string => {
    const wall = serverNow(clock, now);
    if (view.status === "completed" && view.endedAt !== null) {
      return `${day(view.startedAt, wall)} – ${time(view.endedAt)}`;
    }
    const begun = `started ${day(view.startedAt, wall).replace(/^Today /, "")}`;
    if (view.duration === null) return `Open-ended · ${begun}`;
    const left = view.duration - elapsed;
    const end = view.status === "active" ? ` · ends about ${time(wall + left)}` : "";
    return `${span(left)} left of ${span(view.duration)}${end}`;
  };

  return (
    <section
      aria-label="Session"
      className="grid grid-cols-[minmax(0,1fr)_auto] gap-x-5 pt-3 pb-3 sm:gap-x-8 sm:pt-5 sm:pb-5"
    >
      <div className="flex min-w-0 flex-wrap items-center gap-x-3 gap-y-2 self-center">
        <h1 className="line-clamp-2 min-w-0 text-xl font-semibold tracking-tight break-words sm:text-2xl">
          {view.name}
        </h1>
        <StatusBadge status={view.status} />
        {view.tags.length > 0 && (
          <ul aria-label="Tags" className="flex min-w-0 flex-wrap gap-1.5">
            {view.tags.map((tag) => (
              <li
                key={tag}
                className="max-w-full truncate rounded-full bg-sunken px-2.5 py-0.5 text-xs text-muted"
              >
                {tag}
              </li>
            ))}
          </ul>
        )}
      </div>
      <div className="w-16 sm:row-span-3 sm:w-36 sm:self-center lg:w-44">
        <MoonDial
          progress={view.duration === null ? null : elapsed / view.duration}
          awake={view.status === "active"}
        />
        {view.duration !== null && (
          <span className="sr-only">{percent(elapsed, view.duration)} of the planned time</span>
        )}
      </div>
      <div className="col-span-2 sm:col-span-1">
        <SessionClock session={session} />
      </div>
      <div className="col-span-2 mt-2 grid gap-3.5 sm:col-span-1">
        <p className="text-sm text-muted" data-testid="timing">
          {timing()}
        </p>
        <SessionActions view={view} />
      </div>
      <div className="col-span-2 mt-3 grid gap-3 empty:hidden">
        {view.note && (
          <p className="text-sm [overflow-wrap:anywhere] whitespace-pre-line text-muted" data-testid="note">
            {view.note}
          </p>
        )}
        <ClockNote view={view} />
        <Checkpoints view={view} />
      </div>
    </section>
  );
};
