import type { ReactNode } from "react";
import { Loaded } from "@/shared/ui/loaded";
import { NewItems } from "@/shared/ui/new-items";
import { SkeletonRows } from "@/shared/ui/skeleton";
import { VirtualList } from "@/shared/ui/virtual-list";
import type { Paged } from "@/store/use-pages";

type PagedListProps<Item> = {
  /** What the list is of. */
  label: string;
  /** The list itself, where there is more to say: its order. */
  listLabel?: string;
  testId: string;
  of: Paged<Item>;
  /** The names of the columns, where there is room for them. */
  headings: ReactNode;
  /** How many came since the list was read, and what offers them. */
  waiting: { count: number; text: string; onShow: () => void };
  itemKey: (item: Item) => string;
  /** About how high a row is, until it is measured. */
  rowHeight: number;
  row: (item: Item) => ReactNode;
  /** What stands there where nothing was found. */
  empty: ReactNode;
};

/** The one list of a page: read as far as it was scrolled, with what came meanwhile offered above it. */
export const PagedList = <Item,>({
  label,
  listLabel = label,
  of: { query, items },
  headings,
  waiting,
  empty,
  ...list
}: PagedListProps<Item>) => (
  <section aria-label={label} className="card @container min-w-0">
    <NewItems {...waiting} />
    {headings}
    <Loaded of={query} skeleton={<SkeletonRows rows={8} height="h-14" />} failureClass="p-5">
      {() =>
        items?.length ? (
          <VirtualList
            label={listLabel}
            items={items}
            hasMore={query.hasNextPage}
            onNearEnd={() => void (query.isFetchingNextPage || query.fetchNextPage())}
            {...list}
          />
        ) : (
          empty
        )
      }
    </Loaded>
  </section>
);
