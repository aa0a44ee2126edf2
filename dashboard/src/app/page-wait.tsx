import { EmptyState } from "@/shared/ui/empty-state";
import { PageSkeleton } from "@/shared/ui/skeleton";
import { useLive } from "@/store/live-store";

/** Holds the place of a page whose code is on its way, and says so where nobody is there to send it. */
export const PageWait = () => {
  const away = useLive(({ connection: { kind } }) => kind === "offline" || kind === "reconnecting");
  if (!away) return <PageSkeleton />;
  return (
    <div role="status" className="card mt-6">
      <EmptyState title="This page waits for Moonlock">
        Moonlock does not answer, and this page was not opened before. It opens by itself as soon as Moonlock
        is back.
      </EmptyState>
    </div>
  );
};
