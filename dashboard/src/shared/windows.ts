/** What a provider's own limit periods are called. */
import type { WindowView } from "@/api/types.gen";
import { span } from "@/shared/format";

/** A plan's windows are known by how long they last, the others by what they count. */
export const windowLabel = ({ kind, name, periodMs }: WindowView): string => {
  if (kind === "pause") return "asks to wait";
  if (kind !== "plan" || periodMs === null) return name.replaceAll(/[-_]/g, " ");
  const model = name.split("_").slice(1).join(" ");
  return [span(periodMs).replace(/^168\D+h$/, "week"), model].filter(Boolean).join(" ");
};
