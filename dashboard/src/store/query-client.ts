/**
 * What was read over REST, kept while it holds. The socket tells when it no longer does: nothing here polls.
 */
import {
  keepPreviousData,
  onlineManager,
  QueryClient,
  type UseQueryResult,
  useQuery,
} from "@tanstack/react-query";
import { Problem, read } from "@/shared/api-client";
import { onMessages, useLive } from "@/store/live-store";
import { type Topic, topicsOf } from "@/store/topics";

/** Nothing that was asked wrongly comes right by asking again. */
const isPassing = (error: Error): boolean =>
  error instanceof Problem && (error.status === 0 || error.status >= 500);

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: Infinity,
      gcTime: 5 * 60_000,
      retry: (failures, error) => failures < 2 && isPassing(error),
      retryDelay: (attempt) => 300 * 2 ** attempt,
      refetchOnWindowFocus: false,
      // A page that opens while Moonlock is away says so at once, and reads when it is back.
      networkMode: "always",
      refetchOnReconnect: true,
    },
  },
});

/**
 * Reads `path` and keeps it until an event touches `topic`. A change of the path keeps what is there until the
 * answer comes. `null` reads nothing.
 */
export const useRead = <Data>(topic: Topic, path: string | null): UseQueryResult<Data> =>
  useQuery<Data>({
    queryKey: [topic, path],
    queryFn: ({ signal }) => read<Data>(path ?? "", signal),
    enabled: path !== null,
    placeholderData: keepPreviousData,
  });

/** Reads again all that is in sight and could not be read: what failed together mostly comes back together. */
export const readFailedAgain = (): Promise<void> =>
  queryClient.refetchQueries({ type: "active", predicate: ({ state }) => state.status === "error" });

/** What is touched is read anew at most this often, however many events come. */
const REVALIDATE_MS = 2_000;
/** A curve is work for the server, and its newest end is known here; sums of days change little by a call. */
const SLOWER: Partial<Record<Topic, number>> = { curves: 10_000, usage: 10_000 };

/** Follows the socket, until the returned function is called. */
export const startRevalidation = (): (() => void) => {
  const planned = new Map<Topic, ReturnType<typeof setTimeout>>();
  let first = true;

  const touch = (topic: Topic): void => {
    if (planned.has(topic)) return;
    const revalidate = (): void => {
      planned.delete(topic);
      void queryClient.invalidateQueries({ queryKey: [topic] });
    };
    planned.set(topic, setTimeout(revalidate, SLOWER[topic] ?? REVALIDATE_MS));
  };

  const stopMessages = onMessages((messages) => {
    for (const message of messages) {
      // The first state is as new as anything that is read beside it; a later one comes after a gap.
      const isFirst = message.type === "snapshot" && first;
      if (isFirst) first = false;
      else for (const topic of topicsOf(message)) touch(topic);
    }
  });

  onlineManager.setEventListener((setOnline) =>
    useLive.subscribe(({ connection }) => setOnline(connection.kind === "live")),
  );

  return () => {
    for (const timer of planned.values()) clearTimeout(timer);
    stopMessages();
  };
};
