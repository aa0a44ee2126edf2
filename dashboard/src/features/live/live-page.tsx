import { Redirect } from "wouter";
import { AlertBanners } from "@/features/live/alert-banners";
import { CallList } from "@/features/live/call-list";
import { ConnectPanel } from "@/features/live/connect-panel";
import { ConversationPanel } from "@/features/live/conversation-panel";
import { FirstCall } from "@/features/live/first-call";
import { LimitsPanel } from "@/features/live/limits-panel";
import { LiveCharts } from "@/features/live/live-charts";
import { MetricCards } from "@/features/live/metric-cards";
import { SessionHero } from "@/features/live/session-hero";
import { SessionList } from "@/features/live/session-list";
import { StartForm } from "@/features/live/start-form";
import { WaitForServer } from "@/features/live/wait-for-server";
import { TokenFlow } from "@/shared/session/token-flow";
import { useLive } from "@/store/live-store";
import { shownSession } from "@/store/shown-session";
import { useUi } from "@/store/ui-store";

export const LivePage = () => {
  const ready = useLive((live) => live.state.seq !== null);
  const sessions = useLive((live) => live.state.sessions);
  const choice = useUi();
  const session = shownSession(sessions, choice);
  // Calls grow many times a second: only what shows them is drawn anew.
  const anyCall = useLive((live) => live.state.calls.length > 0);
  const all = !session || choice.callFilter === "all";
  const hasCalls = useLive(({ state: { calls } }) =>
    all ? calls.length > 0 : calls.some(({ sessionId }) => sessionId === session.view.id),
  );
  if (!ready) return <WaitForServer />;

  // What is long over is no longer live.
  if (choice.selectedSession !== null && session?.view.id !== choice.selectedSession) {
    return <Redirect to={`/sessions/${choice.selectedSession}`} replace />;
  }
  const isNew = session?.view.usage.requests === 0 && session.view.status !== "completed";
  /** Nothing has ever happened here: one narrow column reads best. */
  const first = sessions.length === 0 && !anyCall;
  return (
    <>
      <AlertBanners />
      <div className="grid gap-4 lg:gap-5">
        {session ? (
          <>
            <title>{`${session.view.name} — Moonlock`}</title>
            <SessionHero key={session.view.id} session={session} />
            <MetricCards session={session} />
            {isNew ? <FirstCall session={session.view.id} /> : <LiveCharts session={session} />}
            <ConversationPanel session={session.view.id} />
            {session.view.usage.total > 0 && <TokenFlow totals={session.view.usage} />}
          </>
        ) : (
          <>
            <title>Moonlock</title>
            <StartForm />
          </>
        )}
        <div
          className={`grid w-full items-start gap-4 lg:gap-5 xl:has-[>aside>section]:grid-cols-[minmax(0,1fr)_22rem] ${first ? "mx-auto max-w-2xl" : ""}`}
        >
          <CallList session={session?.view} />
          <aside className="grid min-w-0 gap-4 empty:hidden lg:gap-5">
            <LimitsPanel />
            <SessionList sessions={sessions} shown={session?.view.id} />
            {hasCalls && !isNew && <ConnectPanel />}
          </aside>
        </div>
      </div>
    </>
  );
};
