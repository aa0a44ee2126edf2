import type { ReactNode } from "react";
import type { UsageGroup } from "@/api/types.gen";
import { compact, count, latency, money, percent, UNKNOWN } from "@/shared/format";
import { type Column, DataTable } from "@/shared/ui/data-table";
import { Panel } from "@/shared/ui/panel";

const prompt = ({ input, cacheRead, cacheWrite }: UsageGroup): number => input + cacheRead + cacheWrite;

const number = (label: string, cell: (group: UsageGroup) => ReactNode): Column<UsageGroup> => ({
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
  number("Calls", ({ requests, errors }) => (
    <Two below={errors > 0 && <span className="text-bad">{count(errors)} failed</span>}>
      {count(requests)}
    </Two>
  )),
  number("Input", ({ input }) => compact(input)),
  number("Cache read", ({ cacheRead, cacheWrite }) => (
    <Two below={cacheWrite > 0 && `${compact(cacheWrite)} written`}>{compact(cacheRead)}</Two>
  )),
  number("Output", ({ output, reasoning }) => (
    <Two below={reasoning > 0 && `${compact(reasoning)} reasoning`}>{compact(output)}</Two>
  )),
  number("Tokens", ({ total }) => <span className="font-medium">{compact(total)}</span>),
  number("Cost", ({ costNanoUsd, unpricedTokens }) => (
    <span className="font-medium">
      {costNanoUsd !== null && unpricedTokens > 0 ? "≥ " : ""}
      {costNanoUsd === null ? <span className="font-normal text-muted">no price</span> : money(costNanoUsd)}
    </span>
  )),
  number("From cache", (group) => percent(group.cacheRead, prompt(group))),
  number("First byte", (group) => (
    <Percentiles half={group.ttftP50Ms} most={group.ttftP90Ms} all={group.ttftP99Ms} />
  )),
  number("Duration", (group) => (
    <Percentiles half={group.durationP50Ms} most={group.durationP90Ms} all={group.durationP99Ms} />
  )),
  number("Output/s", ({ outputPerSecond }) =>
    outputPerSecond === null || outputPerSecond === 0 ? UNKNOWN : count(outputPerSecond),
  ),
];

type PercentilesProps = { half: number | null; most: number | null; all: number | null };

/** `1.2 s` for half of the calls, below it for nine of ten and for all but one of a hundred. */
const Percentiles = ({ half, most, all }: PercentilesProps) => {
  if (typeof half !== "number") return UNKNOWN;
  return (
    <Two
      below={
        <>
          <span aria-hidden="true">p90 </span>
          <span className="sr-only">, nine of ten within </span>
          {latency(most)}
          <span aria-hidden="true"> · p99 </span>
          <span className="sr-only">, all but one of a hundred within </span>
          {latency(all)}
        </>
      }
    >
      <span className="sr-only">half within </span>
      {latency(half)}
    </Two>
  );
};

type TwoProps = { children: ReactNode; below: ReactNode };

/** A number, and below it what is a part of it or says more of it. */
const Two = ({ children, below }: TwoProps) => (
  <>
    <span className="block">{children}</span>
    {below && <span className="block text-xs text-muted">{below}</span>}
  </>
);

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
