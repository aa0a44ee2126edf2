import type { Status } from "@/api/types.gen";
import { statusWord } from "@/shared/session/status";
import { CheckIcon, PauseIcon, PlayIcon } from "@/shared/ui/icons";

const look = {
  active: { tone: "bg-good-soft text-good", Icon: PlayIcon },
  paused: { tone: "bg-warn-soft text-warn", Icon: PauseIcon },
  completed: { tone: "bg-sunken text-muted", Icon: CheckIcon },
} as const;

type StatusBadgeProps = { status: Status };

export const StatusBadge = ({ status }: StatusBadgeProps) => {
  const { tone, Icon } = look[status];
  return (
    <span
      data-testid="status"
      className={`inline-flex h-6 items-center gap-1.5 rounded-full px-2.5 text-xs font-medium ${tone}`}
    >
      <Icon className="size-3" />
      {statusWord[status]}
    </span>
  );
};
