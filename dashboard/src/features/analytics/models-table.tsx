import type { UsageGroup } from "@/api/answers";
import { compact, count, latency, money, percent, UNKNOWN } from "@/shared/format";
import { type Column, DataTable } from "@/shared/ui/data-table";
import { Panel } from "@/shared/ui/panel";

const prompt = ({ input, cacheRead, cacheWrite }: UsageGroup): number => input + cacheRead + cacheWrite;

const number = (label: string, cell: (group: UsageGroup) => React.ReactNode): Column<UsageGroup> => ({
  label,
  cell,
  align: "right",
});

const columns: Column<UsageGroup>[] = [
  {
    label: "Model",
    className: "min-w-44",
    cell: ({ provider, model }) => (
      <>
        <span className="block font-medium">{model ?? "Not named"}</span>
        <span className="text-xs text-muted">{provider}</span>
      </>
    ),
  },
  number("Calls", ({ requests }) => count(requests)),
  number("Failed", ({ errors }) =>
    errors === 0 ? <span className="text-muted">0</span> : <span className="text-bad">{count(errors)}</span>,
  ),
  number("Input", ({ input }) => compact(input)),
  number("Cache read", ({ cacheRead }) => compact(cacheRead)),
  number("Cache write", ({ cacheWrite }) => compact(cacheWrite)),
  number("Output", ({ output }) => compact(output)),
  number("of it reasoning", ({ reasoning }) => compact(reasoning)),
  number("Tokens", ({ total }) => <span className="font-medium">{compact(total)}</span>),
  number("Cost", ({ costNanoUsd, unpricedTokens }) => (
    <span className="font-medium">
      {costNanoUsd !== null && unpricedTokens > 0 ? "≥ " : ""}
      {costNanoUsd === null ? <span className="font-normal text-muted">no price</span> : money(costNanoUsd)}
    </span>
  )),
  number("From cache", (group) => percent(group.cacheRead, prompt(group))),
  number("Mean time", ({ durationMs, requests }) =>
    requests === 0 ? UNKNOWN : latency(durationMs / requests),
  ),
  number("Output/s", ({ outputPerSecond }) =>
    outputPerSecond === null || outputPerSecond === 0 ? UNKNOWN : count(outputPerSecond),
  ),
];

/** The models of the range, the most used first. */
export const ModelsTable = ({ groups }: { groups: readonly UsageGroup[] }) => (
  <Panel title="Models" aside={<p className="text-xs text-muted">{groups.length} in this range</p>}>
    <div className="pb-2">
      <DataTable
        caption="Models with their tokens, cost and speed"
        columns={columns}
        rows={groups}
        rowKey={({ provider, model }) => `${provider} ${model}`}
      />
    </div>
  </Panel>
);
