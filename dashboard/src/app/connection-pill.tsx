import { time } from "@/shared/format";
import type { Connection } from "@/store/live-socket";
import { useLive } from "@/store/live-store";

const words = (connection: Connection): string => {
  switch (connection.kind) {
    case "connecting":
      return "Connecting…";
    case "live":
      return "Live";
    case "reconnecting":
      return "Reconnecting…";
    case "offline":
      return `Offline since ${time(connection.since)}`;
  }
};

const dot = {
  connecting: "border-muted",
  live: "border-good bg-good",
  reconnecting: "border-warn bg-warn animate-breathe",
  offline: "border-bad bg-bad",
} as const;

export const ConnectionPill = () => {
  const connection = useLive((live) => live.connection);
  return (
    <span
      data-testid="connection"
      className={`inline-flex h-8 items-center gap-2 rounded-full border bg-surface px-3 text-xs font-medium ${connection.kind === "offline" ? "border-bad/50 text-bad" : "border-line text-muted"}`}
    >
      <span className={`size-2 rounded-full border-[1.5px] ${dot[connection.kind]}`} aria-hidden="true" />
      {words(connection)}
    </span>
  );
};
