import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { read } from "@/shared/api-client";

const PAGE = 100;

type Paged = { next: string | null };

/**
 * A list that comes page by page, as far as it was scrolled. It is not read anew by itself: what one reads would
 * move. `refresh` begins at the top again.
 */
export const usePages = <Page extends Paged, Item>(
  path: string,
  question: string,
  itemsOf: (page: Page) => Item[],
) => {
  const query = useInfiniteQuery({
    queryKey: ["pages", path, question],
    queryFn: ({ pageParam, signal }) => {
      const ask = `${question === "" ? "?" : `${question}&`}limit=${PAGE}`;
      const cursor = pageParam && `&cursor=${encodeURIComponent(pageParam)}`;
      return read<Page>(`${path}${ask}${cursor}`, signal);
    },
    initialPageParam: "",
    getNextPageParam: ({ next }) => next,
    placeholderData: keepPreviousData,
    // Gone back to, the list is read anew: it was not followed meanwhile.
    gcTime: 0,
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: `itemsOf` only picks a field.
  const items = useMemo(() => query.data?.pages.flatMap(itemsOf), [query.data]);
  return { query, items };
};
