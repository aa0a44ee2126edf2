import { useState } from "react";
import type { Connect, Tool } from "@/api/types.gen";
import { ArrivalPanel } from "@/features/connect/arrival-panel";
import { ToolBlock } from "@/features/connect/tool-block";
import { ToolPicker } from "@/features/connect/tool-picker";
import { CopyButton } from "@/shared/ui/copy-button";
import { SelectFilter } from "@/shared/ui/filter-bar";
import { Loaded, OWN_CARD } from "@/shared/ui/loaded";
import { PageHeader } from "@/shared/ui/page-header";
import { SkeletonCard } from "@/shared/ui/skeleton";
import { queryString, useUrlState } from "@/shared/use-url-state";
import { serverNow, useLive } from "@/store/live-store";
import { useRead } from "@/store/query-client";

/** How each tool is pointed here, and what came of it. */
export const ConnectPage = () => {
  const [{ tool, session }, change] = useUrlState("tool", "session");
  const connect = useRead<Connect>("fixed", `/api/connect${queryString({ session })}`);
  const sessions = useLive((live) => live.state.sessions);
  const open = sessions.filter(({ view }) => view.status !== "completed");
  const names = [...new Set([...open.map(({ view }) => view.name), session])].filter(Boolean);
  return (
    <>
      <PageHeader title="Connect">
        Point a tool at Moonlock. Its calls go on to the provider unchanged; what they use is counted on the
        way.
      </PageHeader>
      <Loaded of={connect} skeleton={<PageShape />} failureClass={OWN_CARD}>
        {({ tools, proxyUrl }) => {
          const chosen = tools.find(({ id }) => id === tool) ?? tools[0];
          if (!chosen) return null;
          return (
            <div className="grid items-start gap-4 lg:gap-5 xl:grid-cols-[12rem_minmax(0,1fr)_19rem] xl:grid-rows-[auto_1fr] xl:[&>:is(nav,:nth-child(3))]:row-span-2">
              <ToolPicker tools={tools} chosen={chosen.id} onChoose={(id) => change({ tool: id })} />
              <ToolBlock
                key={chosen.id}
                tool={chosen}
                place={
                  <div className="flex flex-wrap items-center gap-2 text-xs text-muted">
                    <span aria-hidden="true">Its calls go to</span>
                    <SelectFilter
                      label="Its calls go to"
                      any="the active session"
                      value={session}
                      options={names.map((name) => ({ value: name, label: name }))}
                      onChange={(name) => change({ session: name })}
                    />
                  </div>
                }
              />
              <Waiting tool={chosen} />
              <AnyTool proxyUrl={proxyUrl} />
            </div>
          );
        }}
      </Loaded>
    </>
  );
};

/** The list of tools, the one that is chosen, and what arrives. */
const PageShape = () => (
  <div className="grid items-start gap-4 lg:gap-5 xl:grid-cols-[12rem_minmax(0,1fr)_19rem]">
    <SkeletonCard className="h-24 xl:h-160" />
    <SkeletonCard className="h-80" />
    <SkeletonCard className="h-40" />
  </div>
);

/** Waits from the moment at which the page was opened. */
const Waiting = ({ tool }: { tool: Tool }) => {
  const clock = useLive((live) => live.state.clock);
  const ready = useLive((live) => live.state.seq !== null);
  const [since, setSince] = useState<number>();
  if (since === undefined && ready) setSince(serverNow(clock, performance.now()));
  return <ArrivalPanel tool={tool} since={since ?? Infinity} />;
};

/** For what is not in the list. */
const AnyTool = ({ proxyUrl }: { proxyUrl: string }) => (
  <section className="card min-w-0 p-5 text-sm" aria-labelledby="any-tool">
    <h2 id="any-tool" className="font-semibold">
      Any other tool
    </h2>
    <p className="mt-1 text-muted">
      Replace the scheme and host of the provider’s address with the proxy’s and the provider’s name, and keep
      the path. <code className="font-mono text-xs text-ink">https://api.groq.com/openai/v1</code> becomes
    </p>
    <Code text={`${proxyUrl}/groq/openai/v1`} label="the example" />
    <p className="mt-3 text-muted">
      One call can name its session in a header:{" "}
      <code className="font-mono text-xs text-ink [overflow-wrap:anywhere]">x-moonlock-session: NAME</code>
    </p>
  </section>
);

const Code = ({ text, label }: { text: string; label: string }) => (
  <div className="mt-2 flex items-center gap-2 rounded-lg bg-sunken py-1 pr-1 pl-3">
    <code className="min-w-0 flex-1 py-1 font-mono text-xs [overflow-wrap:anywhere]">{text}</code>
    <CopyButton text={text} label={label} />
  </div>
);
