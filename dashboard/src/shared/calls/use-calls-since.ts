import type { StorageView } from "@/api/types.gen";
import { fullDate } from "@/shared/format";
import { useRead } from "@/store/query-client";

/** Before which moment single calls are no longer kept; `null` where all are, or nothing is known of it. */
export const useCallsSince = (): number | null =>
  useRead<StorageView>("usage", "/api/storage").data?.callsSince ?? null;

export const callsSinceText = (since: number): string =>
  `Calls from before ${fullDate(since)} are no longer kept.`;
