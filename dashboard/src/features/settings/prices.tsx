import type { SettingsView } from "@/api/types.gen";
import { Example } from "@/features/settings/example";
import { type OwnPrice, ownPrices } from "@/features/settings/own-prices";
import { type Column, DataTable } from "@/shared/ui/data-table";
import { Loaded } from "@/shared/ui/loaded";
import { Panel } from "@/shared/ui/panel";
import { SkeletonRows } from "@/shared/ui/skeleton";
import { useRead } from "@/store/query-client";

const EXAMPLE = "moonlock prices override my-model --input 0.50 --output 2 --write";

const columns: Column<OwnPrice>[] = [
  {
    label: "Model",
    cell: ({ model, provider }) => (
      <>
        <span className="block font-medium">{model}</span>
        <span className="text-xs text-muted">{provider}</span>
      </>
    ),
  },
  { label: "From", cell: ({ from }) => <span className="whitespace-nowrap">{from}</span> },
  { label: "Input", cell: ({ input }) => input, align: "right" },
  { label: "Cache read", cell: ({ cacheRead }) => cacheRead, align: "right" },
  { label: "Output", cell: ({ output }) => output, align: "right" },
];

/** What calls cost by the user's own word. Only the configuration file says it. */
export const PricesPanel = () => {
  const settings = useRead<SettingsView>("fixed", "/api/settings");
  return (
    <Panel title="Your own prices">
      <Loaded of={settings} skeleton={<SkeletonRows rows={2} />}>
        {({ settings: all }) => {
          const prices = ownPrices(all);
          return (
            <>
              {prices.length > 0 && (
                <DataTable
                  caption="Your own prices, for a million tokens"
                  columns={columns}
                  rows={prices}
                  rowKey={({ key }) => key}
                />
              )}
              <div className="border-t border-line/60 px-5 py-4 text-sm">
                <p className="text-pretty text-muted">
                  {prices.length === 0
                    ? "Costs come from the built-in price list. "
                    : "For a million tokens. What fits none of these comes from the built-in price list. "}
                  A price of your own goes into the configuration file and holds after a restart:
                </p>
                <Example text={EXAMPLE} label="an example of a price" />
              </div>
            </>
          );
        }}
      </Loaded>
    </Panel>
  );
};
