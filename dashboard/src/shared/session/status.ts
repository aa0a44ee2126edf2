import type { Status } from "@/api/types.gen";

export const statusWord: Record<Status, string> = {
  active: "Running",
  paused: "Paused",
  completed: "Completed",
};
