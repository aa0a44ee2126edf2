import type { CalibrationPage, CalibrationView } from "@/api/types.gen";
import { count, percent } from "@/shared/format";
import { type Column, DataTable } from "@/shared/ui/data-table";
import { EmptyState } from "@/shared/ui/empty-state";
import { Loaded } from "@/shared/ui/loaded";
import { Panel } from "@/shared/ui/panel";
import { useRead } from "@/store/query-client";

const share = (value: number): string => percent(value, 1);

const columns: Column<CalibrationView>[] = [
  {
    label: "Model",
    className: "min-w-40",
    cell: ({ model, side, kind }) => (
      <>
        <span className="block font-medium">{model}</span>
        <span className="text-xs text-muted">
          {side}, {kind === "text" ? "text only" : `with ${kind}`}
        </span>
      </>
    ),
  },
  { label: "Calls compared", align: "right", cell: ({ pairs }) => count(pairs) },
  {
    label: "Truth ÷ estimate",
    align: "right",
    cell: ({ ratio, ratioLow, ratioHigh }) => (
      <>
        {ratio.toFixed(2)}{" "}
        <span className="text-xs text-muted">
          {ratioLow.toFixed(2)}–{ratioHigh.toFixed(2)}
        </span>
      </>
    ),
  },
  {
    label: "Half are off by less than",
    align: "right",
    cell: ({ byRules, corrected }) => share((corrected ?? byRules).median),
  },
  {
    label: "Nine of ten by less than",
    align: "right",
    cell: ({ byRules, corrected }) => share((corrected ?? byRules).p90),
  },
  {
    label: "Corrected",
    cell: ({ byRules, corrected }) =>
      corrected === null ? (
        <span className="text-muted">no</span>
      ) : (
        <>
          yes <span className="text-xs text-muted">({share(byRules.median)} before)</span>
        </>
      ),
  },
];

/** How good the estimates are, held against calls whose provider said what they used. */
export const EstimatesPanel = () => {
  const page = useRead<CalibrationPage>("usage", "/api/calibration");
  return (
    <Panel title="How good estimates are">
      <p className="px-5 pb-3 text-sm text-pretty text-muted">
        Where a provider says what a call used, Moonlock estimates it as well and keeps how far it was off.
        That corrects the estimates of calls whose provider says nothing.
      </p>
      <Loaded of={page}>
        {({ calibration }) =>
          calibration.length === 0 ? (
            <EmptyState title="Nothing compared yet">
              The first calls with numbers of their provider’s fill this.
            </EmptyState>
          ) : (
            <div className="pb-2">
              <DataTable
                caption="Estimates held against the truth, by model"
                columns={columns}
                rows={calibration}
                rowKey={({ model, side, kind }) => `${model} ${side} ${kind}`}
              />
            </div>
          )
        }
      </Loaded>
    </Panel>
  );
};
