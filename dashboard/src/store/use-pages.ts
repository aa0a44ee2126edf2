import { keepPreviousData, type UseInfiniteQueryResult, useInfiniteQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { read } from "@/shared/api-client";

const PAGE = 100;

type Page = { next: string | null };

export type Paged<Item> = {
  query: UseInfiniteQueryResult;
  /** Of all pages that were read; `undefined` before the first. */
  items: Item[] | undefined;
};

/**
 * A list that comes page by page, as far as it was scrolled. It is not read anew by itself: what one reads would
 * move. `refresh` begins at the top again.
 */
export const usePages = <Answer extends Page, Item>(
  path: string,
  question: string,
  itemsOf: (answer: Answer) => Item[],
): Paged<Item> => {
  const query = useInfiniteQuery({
    queryKey: ["pages", path, question],
    queryFn: ({ pageParam, signal }) => {
      const ask = `${question === "" ? "?" : `${question}&`}limit=${PAGE}`;
      const cursor = pageParam && `&cursor=${encodeURIComponent(pageParam)}`;
      return read<Answer>(`${path}${ask}${cursor}`, signal);
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
