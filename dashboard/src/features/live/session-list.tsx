import { compact, day, money, span } from "@/shared/format";
import { statusWord } from "@/shared/session/status";
import { Panel } from "@/shared/ui/panel";
import type { LiveSession } from "@/store/live-reducer";
import { serverNow, useLive } from "@/store/live-store";
import { selectSession } from "@/store/ui-store";

type SessionListProps = { sessions: LiveSession[]; shown: string | undefined };

/** The other sessions: those that run or are paused, then the ones that are over. */
export const SessionList = ({ sessions, shown }: SessionListProps) => {
  const others = sessions.filter(({ view }) => view.id !== shown);
  if (others.length === 0) return null;
  const open = others.filter(({ view }) => view.status !== "completed");
  const over = others.filter(({ view }) => view.status === "completed");
  return (
    <>
      {open.length > 0 && <List title="Also open" sessions={open} />}
      {over.length > 0 && <List title="Recent sessions" sessions={over} />}
    </>
  );
};

const List = ({ title, sessions }: { title: string; sessions: LiveSession[] }) => (
  <Panel title={title}>
    <ul className="px-2 pb-2">
      {sessions.map(({ view }) => (
        <li key={view.id}>
          <Row session={view} />
        </li>
      ))}
    </ul>
  </Panel>
);

const Row = ({ session }: { session: LiveSession["view"] }) => {
  const clock = useLive((live) => live.state.clock);
  const now = serverNow(clock, clock.receivedAt);
  const over = session.status === "completed";
  return (
    <button
      type="button"
      onClick={() => selectSession(session.id)}
      className="grid w-full grid-cols-[minmax(0,1fr)_auto] gap-x-4 rounded-lg px-3 py-2 text-left text-sm hover:bg-sunken"
    >
      <span className="truncate font-medium">{session.name}</span>
      <span className="text-right">{money(session.usage.costNanoUsd)}</span>
      <span className="truncate text-xs text-muted">
        {over ? `${day(session.startedAt, now)} · ${span(session.elapsedMs)}` : statusWord[session.status]}
      </span>
      <span className="text-right text-xs text-muted">{compact(session.tokensUsed)} tokens</span>
    </button>
  );
};
