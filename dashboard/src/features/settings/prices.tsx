import { useState } from "react";
import { type OwnPrice, ownPrices, type PriceField } from "@/features/settings/own-prices";
import { PriceDialog } from "@/features/settings/price-dialog";
import { saveSettings, useSettings } from "@/features/settings/use-settings";
import { UNKNOWN } from "@/shared/format";
import { Button } from "@/shared/ui/button";
import { type Column, DataTable } from "@/shared/ui/data-table";
import { EmptyState } from "@/shared/ui/empty-state";
import { Loaded } from "@/shared/ui/loaded";
import { Panel } from "@/shared/ui/panel";
import { SkeletonRows } from "@/shared/ui/skeleton";
import { useAction } from "@/shared/use-action";

type Row = { price: OwnPrice; index: number };

/** Which price is edited: its place, or a new one after the last. */
type Edited = { place: number };

const dollars = (written: string | undefined): string => (written === undefined ? UNKNOWN : `$${written}`);

const rate = (label: string, field: PriceField): Column<Row> => ({
  label,
  cell: ({ price }) => dollars(price[field]),
  align: "right",
});

const facts: Column<Row>[] = [
  {
    label: "Model",
    cell: ({ price }) => (
      <>
        <span className="block font-medium [overflow-wrap:anywhere]">{price.model ?? UNKNOWN}</span>
        <span className="text-xs text-muted">{price.provider ?? "every provider"}</span>
      </>
    ),
  },
  { label: "From", cell: ({ price }) => <span className="whitespace-nowrap">{price.from ?? "always"}</span> },
  rate("Input", "input"),
  rate("Cache read", "cache_read"),
  rate("Output", "output"),
];

/** What calls cost by the user's own word. */
export const PricesPanel = () => {
  const settings = useSettings();
  const prices = ownPrices(settings.data?.settings ?? []);
  const [edited, setEdited] = useState<Edited>();
  const { problem, busy, run } = useAction();
  const save = (all: OwnPrice[]): Promise<void> => saveSettings({ prices: all });
  const remove = (index: number): Promise<boolean> =>
    run(() => save(prices.filter((_, place) => place !== index)));
  const add = <Button onClick={() => setEdited({ place: prices.length })}>Add a price</Button>;
  const columns: Column<Row>[] = [
    ...facts,
    {
      label: "Actions",
      heading: <span className="sr-only">Actions</span>,
      align: "right",
      cell: ({ price, index }) => (
        <span className="-mr-2.5">
          <Button
            variant="quiet"
            size="small"
            aria-label={`Edit the price of ${price.model}`}
            onClick={() => setEdited({ place: index })}
          >
            Edit
          </Button>
          <Button
            variant="quiet"
            size="small"
            aria-label={`Delete the price of ${price.model}`}
            aria-disabled={busy}
            onClick={() => remove(index)}
          >
            Delete
          </Button>
        </span>
      ),
    },
  ];
  return (
    <Panel title="Your own prices" aside={prices.length > 0 && add}>
      <Loaded of={settings} skeleton={<SkeletonRows rows={2} />}>
        {() =>
          prices.length === 0 ? (
            <EmptyState title="Costs come from the built-in price list" action={add}>
              Give a price of your own for a model that it does not have, or that costs you something else.
            </EmptyState>
          ) : (
            <>
              <DataTable
                caption="Your own prices, for a million tokens"
                columns={columns}
                rows={prices.map((price, index) => ({ price, index }))}
                rowKey={({ index }) => String(index)}
              />
              <p className="border-t border-line/60 px-5 py-3 text-xs text-pretty text-muted">
                For a million tokens. The first that fits a call holds, for calls from now on; what fits none
                of them costs what the built-in price list says.
              </p>
            </>
          )
        }
      </Loaded>
      {problem && (
        <p role="alert" className="px-5 pb-3 text-sm text-bad">
          {problem}
        </p>
      )}
      {edited && (
        <PriceDialog
          price={prices[edited.place]}
          onClose={() => setEdited(undefined)}
          onSave={async (price) => {
            await save([...prices.slice(0, edited.place), price, ...prices.slice(edited.place + 1)]);
            setEdited(undefined);
          }}
        />
      )}
    </Panel>
  );
};
