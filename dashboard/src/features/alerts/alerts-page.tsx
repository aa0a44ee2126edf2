import { History } from "@/features/alerts/history";
import { MutedRules } from "@/features/alerts/muted-rules";
import { Standing } from "@/features/alerts/standing";
import { TrackRecordPanel } from "@/features/alerts/track-record";
import { PageHeader } from "@/shared/ui/page-header";

/** What was worth an alert: what stands, what was, and how well the early ones did. */
export const AlertsPage = () => (
  <>
    <PageHeader title="Alerts">
      What needs a look, what happened before, and how often early warnings came true.
    </PageHeader>
    <div className="grid items-start gap-4 lg:gap-5 xl:grid-cols-[minmax(0,1fr)_21rem]">
      <div className="grid min-w-0 gap-4 lg:gap-5">
        <Standing />
        <History />
      </div>
      <aside className="grid min-w-0 gap-4 lg:gap-5">
        <TrackRecordPanel />
        <MutedRules />
      </aside>
    </div>
  </>
);
