import { WindowRow } from "@/features/limits/window-row";
import { keyText, toldAgo } from "@/features/limits/windows";
import { ButtonLink } from "@/shared/ui/button-link";
import { EmptyState } from "@/shared/ui/empty-state";
import { PageHeader } from "@/shared/ui/page-header";
import { Panel } from "@/shared/ui/panel";
import { SkeletonCard } from "@/shared/ui/skeleton";
import { useSeconds } from "@/shared/use-frames";
import { serverNow, useLive } from "@/store/live-store";

/** The providers' own limits, as their replies last told of them. */
export const LimitsPage = () => {
  const ready = useLive((live) => live.state.seq !== null);
  const limits = useLive((live) => live.state.limits);
  const clock = useLive((live) => live.state.clock);
  const now = serverNow(clock, Math.max(useSeconds(limits.length > 0), clock.receivedAt));
  return (
    <>
      <PageHeader title="Limits">
        What the providers allow, how much of it is used, and when it resets.
      </PageHeader>
      {!ready ? (
        <SkeletonCard className="h-64" />
      ) : limits.length === 0 ? (
        <div className="card">
          <EmptyState
            title="No limits reported yet"
            action={<ButtonLink href="/connect">Connect a tool</ButtonLink>}
          >
            Providers such as Anthropic and OpenAI report their limits in the headers of each reply, also
            those of a plan’s 5 hours and week. This page fills with the next call to one of them.
          </EmptyState>
        </div>
      ) : (
        <>
          <div className="grid items-start gap-4 lg:grid-cols-2 lg:gap-5 2xl:grid-cols-3">
            {limits.map((set) => (
              <Panel
                key={`${set.provider} ${set.credential}`}
                title={`${set.provider} · ${keyText(set)}`}
                aside={<p className="text-xs text-muted">{toldAgo(set.seenAt, now)}</p>}
              >
                <ul className="grid pb-2">
                  {set.windows.map((window) => (
                    <WindowRow key={window.name} window={window} now={now} />
                  ))}
                </ul>
              </Panel>
            ))}
          </div>
          <p className="mt-4 max-w-prose text-xs text-pretty text-muted">
            Read from the headers of replies; whatever else uses the same key shows with the next call. Keys
            are told apart by a fingerprint: the key itself is never kept.
          </p>
        </>
      )}
    </>
  );
};
