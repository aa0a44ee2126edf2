import type { EfficiencyPartView, EfficiencyView } from "@/api/types.gen";
import { partNumber, partText, scaleText } from "@/features/report/efficiency";
import { plural } from "@/shared/format";
import { type Column, DataTable } from "@/shared/ui/data-table";
import { Loaded } from "@/shared/ui/loaded";
import { Panel } from "@/shared/ui/panel";
import { useRead } from "@/store/query-client";

const columns: Column<EfficiencyPartView>[] = [
  {
    label: "Part",
    className: "min-w-56",
    cell: ({ part, leftOutBecause, ...rest }) => (
      <>
        <p className="font-medium">{partText[part].label}</p>
        <p className="text-xs text-muted">
          {leftOutBecause ?? `${partText[part].about}; ${scaleText({ part, leftOutBecause, ...rest })}`}
        </p>
      </>
    ),
  },
  { label: "This session", align: "right", cell: ({ value, unit }) => partNumber(value, unit) },
  { label: "Your median", align: "right", cell: ({ usual, unit }) => partNumber(usual, unit) },
  { label: "Points", align: "right", cell: ({ points }) => points ?? "—" },
  {
    label: "Weight",
    align: "right",
    cell: ({ countsPercent }) => (countsPercent === 0 ? "left out" : `${countsPercent}\u00a0%`),
  },
];

/** The score with all that it is made of: nothing about it is magic. */
export const EfficiencyPanel = ({ id }: { id: string }) => {
  const read = useRead<EfficiencyView>("curves", `/api/sessions/${id}/efficiency`);
  return (
    <Panel title="Efficiency" className="break-inside-avoid">
      <Loaded of={read}>
        {({ score, usualScore, pastSessions, parts }) => (
          <>
            <p className="px-5 pb-3 text-sm text-muted">
              {score === null ? (
                "No score yet: it takes five calls."
              ) : (
                <>
                  <span className="mr-2 text-2xl font-semibold text-ink">{score}</span>
                  of 100: the mean of the points below, by their weight.
                  {usualScore !== null &&
                    ` Your median is ${usualScore}, from ${plural(pastSessions, "session")}.`}
                </>
              )}
            </p>
            <DataTable
              caption="What the efficiency is made of"
              columns={columns}
              rows={parts}
              rowKey={({ part }) => part}
            />
          </>
        )}
      </Loaded>
    </Panel>
  );
};
