import { useWindowVirtualizer } from "@tanstack/react-virtual";
import { type ReactNode, useEffect, useLayoutEffect, useRef, useState } from "react";

type VirtualListProps<Item> = {
  /** What the list is of. */
  label: string;
  items: readonly Item[];
  itemKey: (item: Item) => string;
  /** About how high a row is, until it is measured. */
  rowHeight: number;
  row: (item: Item) => ReactNode;
  /** Whether there is more than `items`. */
  hasMore: boolean;
  /** The end comes near. */
  onNearEnd: () => void;
  testId: string;
};

/** So many rows before the last one, more is asked for. */
const NEAR = 20;

/** A list of any length in the page's own scroll: only the rows in sight are there. */
export const VirtualList = <Item,>({
  label,
  items,
  itemKey,
  rowHeight,
  row,
  hasMore,
  onNearEnd,
  testId,
}: VirtualListProps<Item>) => {
  const list = useRef<HTMLOListElement>(null);
  const [top, setTop] = useState(0);
  // What stands above the list may grow: an alert, a second line of filters.
  useLayoutEffect(() => {
    const place = list.current?.getBoundingClientRect().top ?? 0;
    setTop(Math.round(place + window.scrollY));
  }, []);
  const rows = useWindowVirtualizer({
    count: items.length,
    estimateSize: () => rowHeight,
    getItemKey: (index) => {
      const item = items[index];
      return item === undefined ? index : itemKey(item);
    },
    overscan: 8,
    scrollMargin: top,
  });
  const shown = rows.getVirtualItems();
  const last = shown.at(-1)?.index ?? 0;
  const wantsMore = hasMore && last >= items.length - NEAR;
  const latest = useRef(onNearEnd);
  useEffect(() => {
    latest.current = onNearEnd;
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: every page that came may be short of the end again.
  useEffect(() => {
    if (wantsMore) latest.current();
  }, [wantsMore, items.length]);
  return (
    <ol
      ref={list}
      aria-label={label}
      data-testid={testId}
      className="relative -mb-px overflow-clip rounded-b-card"
      style={{ height: rows.getTotalSize() }}
    >
      {shown.map(({ index, key, start }) => {
        const item = items[index];
        return (
          item !== undefined && (
            <li
              key={key}
              ref={rows.measureElement}
              data-index={index}
              aria-setsize={hasMore ? -1 : items.length}
              aria-posinset={index + 1}
              className="absolute inset-x-0 top-0"
              style={{ transform: `translateY(${start - top}px)` }}
            >
              {row(item)}
            </li>
          )
        );
      })}
    </ol>
  );
};
