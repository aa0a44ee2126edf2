import { Fragment, Suspense, useCallback, useState } from "react";
import type { SessionView } from "@/api/types.gen";
import { ConnectBlocks } from "@/features/live/connect-panel";
import { Waiting } from "@/features/live/first-call";
import { idleGaps } from "@/features/live/idle-gaps";
import { CallHeadings } from "@/shared/calls/call-headings";
import { CallRow } from "@/shared/calls/call-row";
import { MoveDialog } from "@/shared/calls/move-dialog";
import { compact, plural, span } from "@/shared/format";
import { Button } from "@/shared/ui/button";
import { Panel } from "@/shared/ui/panel";
import { useUrlState } from "@/shared/use-url-state";
import { later } from "@/store/code";
import { useLive } from "@/store/live-store";
import { type CallFilter, filterCalls, useUi } from "@/store/ui-store";

const CallDrawer = later(() => import("@/shared/calls/call-drawer").then((m) => m.CallDrawer));

const SHOWN = 100;

type CallListProps = { session: SessionView | undefined };

export const CallList = ({ session }: CallListProps) => {
  const sessions = useLive((live) => live.state.sessions);
  const chosen = useUi((ui) => ui.callFilter);
  const calls = useLive((live) => live.state.calls);
  const filter: CallFilter = session ? chosen : "all";
  const own = filter === "all" ? calls : calls.filter(({ sessionId }) => sessionId === session?.id);
  const shown = own.slice(0, SHOWN);
  const [picked, setPicked] = useState<ReadonlySet<string>>();
  const [moving, setMoving] = useState(false);
  const [said, setSaid] = useState("");
  const pick = useCallback(
    (id: string, isPicked: boolean): void =>
      setPicked((before) => {
        const after = new Set(before);
        if (isPicked) after.add(id);
        else after.delete(id);
        return after;
      }),
    [],
  );
  const [{ call: opened }, change] = useUrlState("call");
  const open = useCallback((call: string): void => change({ call }), [change]);
  const begin = (): void => {
    setPicked(new Set());
    setSaid("");
  };
  const moved = (text: string): void => {
    setMoving(false);
    setPicked(undefined);
    setSaid(text);
  };
  const gaps = filter === "session" ? idleGaps(shown) : undefined;
  const names = new Map(sessions.map(({ view }) => [view.id, view.name]));
  const place = (id: string | null): string =>
    id === null ? "Unassigned" : (names.get(id) ?? "Earlier session");

  return (
    <Panel
      title="Calls"
      aside={
        calls.length > 0 && (
          <div className="flex items-center gap-2">
            {!picked && (
              <Button variant="quiet" size="small" className={session ? "" : "-mr-2.5"} onClick={begin}>
                Move calls
              </Button>
            )}
            {session && <Filter chosen={filter} />}
          </div>
        )
      }
      className="@container"
    >
      <p role="status" className="px-5 pb-2 text-xs text-muted empty:hidden">
        {said}
      </p>
      {picked && (
        <PickBar count={picked.size} onMove={() => setMoving(true)} onCancel={() => setPicked(undefined)} />
      )}
      {moving && picked && (
        <MoveDialog
          picked={[...picked]}
          from={filter === "session" ? session?.id : undefined}
          onClose={() => setMoving(false)}
          onMoved={moved}
        />
      )}
      {shown.length === 0 ? (
        <NoCalls session={session} />
      ) : (
        <>
          <CallHeadings className={picked ? "pl-12" : ""} />
          <ol aria-label="Calls, newest first" data-testid="calls">
            {shown.map((call) => (
              <Fragment key={call.id}>
                <CallRow
                  call={call}
                  place={filter === "all" ? place(call.sessionId) : undefined}
                  picked={picked?.has(call.id)}
                  onPick={pick}
                  onOpen={open}
                />
                <IdleGap ms={gaps?.get(call.id)} />
              </Fragment>
            ))}
          </ol>
        </>
      )}
      <UnassignedNote filter={filter} />
      {opened && (
        <Suspense>
          <CallDrawer id={opened} onClose={() => change({ call: "" })} />
        </Suspense>
      )}
    </Panel>
  );
};

/** The list is newest first: the gap before a call stands below it. */
const IdleGap = ({ ms }: { ms: number | undefined }) =>
  ms !== undefined && (
    <li
      className="flex items-center gap-3 border-b border-line/60 px-5 py-1.5 text-xs text-muted"
      data-testid="idle"
    >
      <span className="h-px flex-1 bg-line" aria-hidden="true" />
      {span(ms)} idle
      <span className="h-px flex-1 bg-line" aria-hidden="true" />
    </li>
  );

type PickBarProps = { count: number; onMove: () => void; onCancel: () => void };

/** Calls are being picked; without any, a stretch of time can be moved. */
const PickBar = ({ count, onMove, onCancel }: PickBarProps) => (
  <div className="flex flex-wrap items-center gap-2 border-b border-line px-5 pb-3 text-sm">
    <p className="mr-auto text-muted">
      {count === 0 ? "Pick calls, or move a stretch of time." : `${plural(count, "call")} picked`}
    </p>
    <Button variant="quiet" className="text-xs" onClick={onCancel}>
      Cancel
    </Button>
    <Button variant="primary" className="text-xs" onClick={onMove}>
      {count === 0 ? "By time…" : "Move to…"}
    </Button>
  </div>
);

const filters: { filter: CallFilter; label: string }[] = [
  { filter: "session", label: "This session" },
  { filter: "all", label: "All" },
];

const Filter = ({ chosen }: { chosen: CallFilter }) => (
  <fieldset className="flex rounded-lg bg-sunken p-0.5">
    <legend className="sr-only">Which calls</legend>
    {filters.map(({ filter, label }) => (
      <button
        key={filter}
        type="button"
        aria-pressed={filter === chosen}
        onClick={() => filterCalls(filter)}
        className="h-7 rounded-md px-3 text-xs font-medium text-muted hover:text-ink aria-pressed:bg-raised aria-pressed:text-ink aria-pressed:shadow-xs"
      >
        {label}
      </button>
    ))}
  </fieldset>
);

const NoCalls = ({ session }: { session: SessionView | undefined }) =>
  session ? (
    <p className="px-5 pb-6 text-sm text-muted">{noCallsText(session)}</p>
  ) : (
    <div className="px-5 pb-5">
      <Waiting text="Waiting for the first call…" />
      <ConnectBlocks />
    </div>
  );

const noCallsText = ({ usage, status }: SessionView): string => {
  if (usage.requests > 0) return "This session’s calls are no longer among the newest.";
  return status === "completed" ? "This session made no calls." : "No calls yet.";
};

const UnassignedNote = ({ filter }: { filter: CallFilter }) => {
  const { requests, total } = useLive((live) => live.state.unassigned);
  if (requests === 0) return null;
  return (
    <p className="border-t border-line px-5 py-3 text-xs text-muted" data-testid="unassigned">
      {plural(requests, "call")} with {compact(total)} tokens belong to no session.{" "}
      {filter === "session" && (
        <button
          type="button"
          onClick={() => filterCalls("all")}
          className="font-medium text-accent underline-offset-2 hover:underline"
        >
          Show them
        </button>
      )}
    </p>
  );
};
