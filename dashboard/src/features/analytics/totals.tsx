import type { Totals } from "@/api/types.gen";
import { compact, count, money, percent, plural } from "@/shared/format";
import { Stat } from "@/shared/ui/stat";

/** The sums of the range. */
export const TotalsRow = ({ totals }: { totals: Totals }) => {
  const prompt = totals.input + totals.cacheRead + totals.cacheWrite;
  const isLowerBound = totals.costNanoUsd !== null && totals.unpricedTokens > 0;
  return (
    <dl className="grid grid-cols-2 gap-3 sm:gap-4 lg:grid-cols-4 lg:gap-5">
      <Stat label="Tokens" value={compact(totals.total)}>
        {compact(prompt)} in the prompts, {compact(totals.output)} generated
      </Stat>
      <Stat label="Cost" value={`${isLowerBound ? "≥ " : ""}${money(totals.costNanoUsd)}`}>
        {priced(totals)}
      </Stat>
      <Stat label="Calls" value={count(totals.requests)}>
        {totals.errors === 0 ? (
          "All complete"
        ) : (
          <span className="text-bad">{plural(totals.errors, "did not complete", "did not complete")}</span>
        )}
      </Stat>
      <Stat label="Cache reads" value={percent(totals.cacheRead, prompt)}>
        {compact(totals.cacheRead)} of {compact(prompt)} prompt tokens
      </Stat>
    </dl>
  );
};

const priced = ({ total, unpricedTokens, unpricedRequests }: Totals): string => {
  if (unpricedTokens === 0) return "Every call has a price";
  return `${percent(unpricedTokens, total)} of the tokens (${plural(unpricedRequests, "call")}) have no price`;
};
