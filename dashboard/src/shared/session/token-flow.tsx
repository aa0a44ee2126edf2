import type { Totals } from "@/api/types.gen";
import { compact, count, percent } from "@/shared/format";
import { type PartKey, tokenParts } from "@/shared/session/token-parts";
import { Panel } from "@/shared/ui/panel";

const colour: Record<PartKey, string> = {
  cacheRead: "bg-cache-read",
  cacheWrite: "bg-cache-write",
  input: "bg-input",
  output: "bg-output",
  reasoning: "bg-reasoning",
};

type TokenFlowProps = { totals: Totals };

/** What the tokens were: one bar, and the same as text below it. */
export const TokenFlow = ({ totals }: TokenFlowProps) => {
  const parts = tokenParts(totals);
  const all = parts.reduce((sum, { tokens }) => sum + tokens, 0);
  return (
    <Panel title="Token flow">
      <div className="px-5 pb-5">
        <div className="flex h-4 gap-0.5 overflow-hidden rounded-md bg-sunken" aria-hidden="true">
          {parts.map(
            ({ key, tokens }) =>
              tokens > 0 && (
                <div
                  key={key}
                  className={`min-w-[3px] transition-[flex-grow] duration-500 ${colour[key]}`}
                  style={{ flexGrow: tokens / all, flexBasis: 0 }}
                />
              ),
          )}
        </div>
        <dl className="mt-4 grid grid-cols-2 gap-x-6 gap-y-3 sm:grid-cols-3 lg:grid-cols-5">
          {parts.map(({ key, label, tokens }) => (
            <div key={key} className="min-w-0" title={`${label}: ${count(tokens)} tokens`}>
              <dt className="flex items-center gap-2 text-xs text-muted">
                <span className={`size-2.5 rounded-[3px] ${colour[key]}`} aria-hidden="true" />
                {label}
              </dt>
              <dd className="mt-0.5 text-sm">
                <span className="font-semibold">{compact(tokens)}</span>
                {all > 0 && <span className="ml-2 text-muted">{percent(tokens, all)}</span>}
              </dd>
            </div>
          ))}
        </dl>
      </div>
    </Panel>
  );
};
