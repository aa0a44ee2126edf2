import type { ReactNode } from "react";
import { Link } from "wouter";
import type { CallView, Tool } from "@/api/types.gen";
import { arrival, lastSeen } from "@/features/connect/arrivals";
import { compact, count, exactTime, latency, money, time, UNKNOWN } from "@/shared/format";
import { AlertIcon, CheckIcon } from "@/shared/ui/icons";
import { useLive, useSoFar } from "@/store/live-store";

type ArrivalPanelProps = {
  tool: Tool;
  /** From when on a call is the one that is waited for; UTC epoch milliseconds. */
  since: number;
};

/** "Waiting for the first request…", which turns into what arrived. */
export const ArrivalPanel = ({ tool, since }: ArrivalPanelProps) => {
  const calls = useLive((live) => live.state.calls);
  const offline = useLive((live) => live.connection.kind === "offline");
  const came = arrival(calls, tool, since);
  return (
    <section aria-labelledby="arrival" className="card min-w-0 p-5" data-testid="arrival">
      <div aria-live="polite">
        {came ? (
          <Came call={came.call} tool={tool} isFromTool={came.isFromTool} />
        ) : (
          <Waiting tool={tool} seen={lastSeen(calls, tool)} offline={offline} />
        )}
      </div>
      {!came?.isFromTool && <NothingArrives from={tool.name} />}
    </section>
  );
};

type WaitingProps = { tool: Tool; seen: number | undefined; offline: boolean };

const Waiting = ({ tool, seen, offline }: WaitingProps) => (
  <Told
    mark={
      <span className="grid size-9 place-items-center rounded-full bg-sunken">
        <span
          className={`size-2.5 rounded-full border-2 border-accent ${offline ? "" : "animate-breathe bg-accent"}`}
        />
      </span>
    }
    title={seen === undefined ? "Waiting for the first request…" : "Waiting for the next request…"}
  >
    {offline
      ? "Moonlock does not answer. Start it, and this page goes on by itself."
      : seen === undefined
        ? `Ask ${tool.name} something. Its call shows up here while it runs.`
        : `${tool.name} is connected: its last call came at ${time(seen)}.`}
  </Told>
);

type CameProps = { call: CallView; tool: Tool; isFromTool: boolean };

const Came = ({ call, tool, isFromTool }: CameProps) => {
  const running = call.outcome === "running";
  const failed = !running && call.outcome !== "complete";
  return (
    <>
      <Told
        mark={
          <span
            className={`grid size-9 place-items-center rounded-full ${failed ? "bg-warn-soft text-warn" : "bg-good-soft text-good"}`}
          >
            {failed ? <AlertIcon className="size-5" /> : <CheckIcon className="size-5" />}
          </span>
        }
        title={isFromTool ? `${tool.name} is connected` : "A request arrived"}
      >
        {isFromTool
          ? running
            ? "Its call is on the way."
            : failed
              ? "Its call came through; the provider did not complete it."
              : "Its call came through and was counted."
          : `It came from ${call.client ?? "a client that does not say what it is"}${failed ? "; the provider did not complete it" : ""}.`}
      </Told>
      <dl className="mt-4 grid grid-cols-[auto_minmax(0,1fr)] gap-x-4 gap-y-1.5 border-t border-line pt-4 text-sm">
        <Fact label="Model">{call.model ?? call.requestModel ?? "not known"}</Fact>
        <Fact label="Provider">{call.provider}</Fact>
        <Fact label="Began">{exactTime(call.startedAt)}</Fact>
        {running ? (
          <Fact label="So far">
            <SoFar call={call} />
          </Fact>
        ) : (
          <>
            <Fact label="Tokens">{count(call.total)}</Fact>
            <Fact label="Cost">{money(call.costNanoUsd)}</Fact>
            <Fact label="Took">{latency(call.durationMs)}</Fact>
            {call.status !== null && call.status >= 400 && (
              <Fact label="Answer">
                {call.status} {call.error ?? ""}
              </Fact>
            )}
          </>
        )}
      </dl>
      {isFromTool && (
        <Link
          href="/"
          className="mt-4 inline-flex h-9 items-center rounded-lg border border-line px-3.5 text-sm font-medium hover:border-control"
        >
          See it live
        </Link>
      )}
    </>
  );
};

const SoFar = ({ call }: { call: CallView }) => {
  const tokens = useSoFar(call);
  return tokens === null ? UNKNOWN : `≈ ${compact(tokens)} tokens`;
};

type ToldProps = { mark: ReactNode; title: string; children: ReactNode };

const Told = ({ mark, title, children }: ToldProps) => (
  <div className="flex items-start gap-3">
    <span className="shrink-0" aria-hidden="true">
      {mark}
    </span>
    <div className="min-w-0">
      <h2 id="arrival" className="text-sm font-semibold">
        {title}
      </h2>
      <p className="mt-0.5 text-sm text-pretty text-muted">{children}</p>
    </div>
  </div>
);

const Fact = ({ label, children }: { label: string; children: ReactNode }) => (
  <>
    <dt className="text-muted">{label}</dt>
    <dd className="text-right [overflow-wrap:anywhere]">{children}</dd>
  </>
);

const NothingArrives = ({ from }: { from: string }) => (
  <details className="mt-4 border-t border-line pt-3 text-sm">
    <summary className="cursor-pointer rounded py-1 text-muted">Nothing arrives from {from}?</summary>
    <ul className="mt-2 grid list-disc gap-1.5 pl-5 text-muted">
      <li>A variable counts for what is started in that shell afterwards: restart the tool.</li>
      <li>
        Write the address as <code className="font-mono text-xs text-ink">127.0.0.1</code>:{" "}
        <code className="font-mono text-xs text-ink">localhost</code> may mean IPv6.
      </li>
      <li>The tool’s own settings may hold another address, which then wins.</li>
      <li>
        Try <em>curl</em> from the list: if that arrives, Moonlock is well.
      </li>
    </ul>
  </details>
);
