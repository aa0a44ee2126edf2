import { conversations } from "@/features/live/conversations";
import { compact, money, plural, span } from "@/shared/format";
import { Panel } from "@/shared/ui/panel";
import { useSeconds } from "@/shared/use-frames";
import { serverNow, useLive } from "@/store/live-store";

/** So many are side by side; a fleet's older ones are in Calls. */
const SHOWN = 8;

/** The threads of a session side by side, where there are several. */
export const ConversationPanel = ({ session }: { session: string }) => {
  const clock = useLive((live) => live.state.clock);
  const calls = useLive((live) => live.state.calls).filter(({ sessionId }) => sessionId === session);
  const found = conversations(calls);
  const now = serverNow(clock, Math.max(useSeconds(found.length > 1), clock.receivedAt));
  if (found.length < 2) return null;
  return (
    <Panel
      title="Conversations"
      aside={<span className="text-xs text-muted">from the newest {plural(calls.length, "call")}</span>}
    >
      <ul className="grid gap-x-6 gap-y-4 px-5 pt-1 pb-5 sm:grid-cols-2 xl:grid-cols-4">
        {found.slice(0, SHOWN).map(({ key, who, isAgent, id, models, running, lastAt, ...used }) => (
          <li
            key={key}
            className="min-w-0 border-l-2 border-line pl-3 text-sm data-running:border-accent"
            data-running={running > 0 || undefined}
          >
            <p className="truncate font-medium">
              {who}
              {isAgent && " sub-agent"} <span className="font-mono text-xs font-normal text-muted">{id}</span>
            </p>
            <p className="truncate text-xs text-muted">{models.join(", ")}</p>
            <p className="mt-1">
              {compact(used.tokens)} tokens <span className="text-muted">·</span> {money(used.costNanoUsd)}
            </p>
            <p className="text-xs text-muted">
              {plural(used.calls, "call")},{" "}
              {running > 0 ? (
                <span className="text-accent">{plural(running, "running", "running")}</span>
              ) : (
                `last ${span(Math.max(0, now - lastAt))} ago`
              )}
            </p>
          </li>
        ))}
      </ul>
    </Panel>
  );
};
