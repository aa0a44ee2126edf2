import type { CallDetail, CallView, EstimateView } from "@/api/types.gen";
import { CallBadge } from "@/shared/calls/call-badge";
import { Fact, Part } from "@/shared/calls/call-parts";
import { CallPlace } from "@/shared/calls/call-place";
import { intervalText, type PartRow, partRows, priceText, speed, waterfall } from "@/shared/calls/call-texts";
import { count, day, exactTime, latency, money, percent } from "@/shared/format";
import { CopyButton } from "@/shared/ui/copy-button";
import { Drawer } from "@/shared/ui/drawer";
import { Loaded } from "@/shared/ui/loaded";
import { serverNow, useLive } from "@/store/live-store";
import { useRead } from "@/store/query-client";

type CallDrawerProps = { id: string; onClose: () => void };

/** All that is known of one call. */
export const CallDrawer = ({ id, onClose }: CallDrawerProps) => {
  const read = useRead<CallDetail>("calls", `/api/calls/${encodeURIComponent(id)}`);
  const title = read.data ? nameOf(read.data) : "Call";
  return (
    <Drawer title={title} onClose={onClose}>
      <div className="-mx-5">
        <Loaded of={read}>{(call) => <Details call={call} />}</Loaded>
      </div>
    </Drawer>
  );
};

const nameOf = ({ model, requestModel }: CallView): string => model ?? requestModel ?? "Model unknown";

const Details = ({ call }: { call: CallDetail }) => {
  const clock = useLive((live) => live.state.clock);
  const now = serverNow(clock, clock.receivedAt);
  return (
    <div className="grid gap-6 px-5 pb-4 text-sm">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1 text-muted">
        <CallBadge call={call} />
        <span>
          {call.provider} · {call.operation}
        </span>
        <span>{day(call.startedAt, now).replace(/\d\d:\d\d$/, exactTime(call.startedAt))}</span>
      </div>
      {call.error && <p className="rounded-lg bg-warn-soft px-3 py-2 text-warn">The error: {call.error}</p>}
      <Tokens call={call} />
      <Part title="Cost">
        <p>
          <span className="text-lg font-semibold">{money(call.costNanoUsd)}</span>{" "}
          <span className="text-muted">
            {call.costNanoUsd === null
              ? "no price is known"
              : [call.priceSource && priceText[call.priceSource], call.priceDate && `as of ${call.priceDate}`]
                  .filter(Boolean)
                  .join(", ")}
          </span>
        </p>
      </Part>
      <Timing call={call} />
      <CallPlace call={call} />
      <Facts call={call} />
      <Raw of={call.rawUsage} />
    </div>
  );
};

const colours: Partial<Record<PartRow["name"], string>> = {
  cacheRead: "bg-cache-read",
  cacheWrite5m: "bg-cache-write",
  cacheWrite1h: "bg-cache-write",
  output: "bg-output",
  reasoning: "bg-reasoning",
};

const Tokens = ({ call }: { call: CallDetail }) => {
  const rows = partRows(call.parts);
  const all = rows.reduce((sum, { tokens }) => sum + tokens, 0);
  return (
    <Part title="Tokens">
      <p className="mb-2 text-lg font-semibold">{count(call.total)}</p>
      {all > 0 && (
        <div className="mb-3 flex h-2 gap-0.5 overflow-hidden rounded-full bg-sunken" aria-hidden="true">
          {rows.map(
            ({ name, tokens }) =>
              tokens > 0 && (
                <span
                  key={name}
                  className={`min-w-0.5 ${colours[name] ?? "bg-input"}`}
                  style={{ flexGrow: tokens / all, flexBasis: 0 }}
                />
              ),
          )}
        </div>
      )}
      <dl className="grid gap-1">
        {rows.map(({ name, label, tokens }) => (
          <div key={name} className="flex items-center justify-between gap-4">
            <dt className="flex items-center gap-2 text-muted">
              <span className={`size-2.5 rounded-[3px] ${colours[name] ?? "bg-input"}`} aria-hidden="true" />
              {label}
            </dt>
            <dd>
              {count(tokens)}
              {all > 0 && (
                <span className="ml-3 inline-block w-12 text-right text-muted">{percent(tokens, all)}</span>
              )}
            </dd>
          </div>
        ))}
      </dl>
      {rows.length === 0 && <p className="text-muted">Nothing is known of them.</p>}
      {call.estimate && <Estimate of={call.estimate} />}
      {call.countedBy && (
        <p className="mt-2 text-muted">
          The same usage came more than once: it counts in the call that had it first.
        </p>
      )}
    </Part>
  );
};

const Estimate = ({ of: { input, output, lowerBound } }: { of: EstimateView }) => (
  <p className="mt-3 rounded-lg bg-sunken px-3 py-2 text-muted">
    Estimated:{" "}
    {[input && `the prompt ${intervalText(input)}`, output && `the reply ${intervalText(output)}`]
      .filter(Boolean)
      .join(", ")}
    . {lowerBound ? "Some of what was used cannot be seen from here; it may be more." : ""}
  </p>
);

const Timing = ({ call }: { call: CallDetail }) => {
  const spent = waterfall(call);
  if (!spent) return null;
  const { waitMs, streamMs, waitShare } = spent;
  return (
    <Part title="Time">
      <div className="mb-2 flex h-2 overflow-hidden rounded-full bg-sunken" aria-hidden="true">
        <span className="bg-control" style={{ width: `${waitShare * 100}%` }} />
        <span className="flex-1 bg-accent" />
      </div>
      <dl className="grid gap-1">
        <Fact label={call.ttftMs === null ? "Until the answer" : "Until the first byte"}>
          {latency(waitMs)}
        </Fact>
        {streamMs > 0 && <Fact label="Streaming">{latency(streamMs)}</Fact>}
        <Fact label="In all">{latency(call.durationMs)}</Fact>
        {speed(call) && <Fact label="Speed">{speed(call)}</Fact>}
      </dl>
    </Part>
  );
};

const Facts = ({ call }: { call: CallDetail }) => {
  const facts: [string, string | number | null][] = [
    ["Client", call.client],
    ["Conversation", call.conversation],
    ["Agent", call.agent],
    ["Model asked for", call.requestModel],
    ["Model that answered", call.replyModel],
    ["HTTP status", call.status],
    ["Streamed", call.streamed === null ? null : call.streamed ? "yes" : "no"],
  ];
  return (
    <Part title="Request">
      <dl className="grid gap-1">
        {facts.map(
          ([label, value]) =>
            value !== null && (
              <Fact key={label} label={label}>
                {value}
              </Fact>
            ),
        )}
      </dl>
      {call.requestId && (
        <div className="mt-2 flex items-center gap-2 rounded-lg bg-sunken py-1 pr-1 pl-3">
          <code className="min-w-0 flex-1 font-mono text-xs [overflow-wrap:anywhere]">{call.requestId}</code>
          <CopyButton text={call.requestId} label="the provider’s request id" />
        </div>
      )}
    </Part>
  );
};

const Raw = ({ of }: { of: unknown }) => (
  <Part title="The provider’s own words">
    {of === null || of === undefined ? (
      <p className="text-muted">It said nothing about usage.</p>
    ) : (
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard.
      <pre tabIndex={0} className="max-h-80 overflow-auto rounded-lg bg-sunken p-3 font-mono text-xs">
        {JSON.stringify(of, null, 2)}
      </pre>
    )}
  </Part>
);
