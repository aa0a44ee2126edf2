import type { TrackRecord } from "@/api/types.gen";
import { trackRecordTexts } from "@/features/alerts/alert-texts";
import { plural } from "@/shared/format";
import { Loaded } from "@/shared/ui/loaded";
import { Panel } from "@/shared/ui/panel";
import { SkeletonRows } from "@/shared/ui/skeleton";
import { useRead } from "@/store/query-client";

/** How well the forecasts and their early warnings did, in numbers one can picture. */
export const TrackRecordPanel = () => {
  const record = useRead<TrackRecord>("sessions", "/api/forecast/track-record");
  return (
    <Panel title="Track record">
      <Loaded of={record} skeleton={<SkeletonRows rows={1} height="h-14" />}>
        {(known) => (
          <div className="px-5 pb-5 text-sm">
            <Record record={known} />
          </div>
        )}
      </Loaded>
    </Panel>
  );
};

const Record = ({ record }: { record: TrackRecord }) => {
  const { warnings, bands } = trackRecordTexts(record);
  if (warnings === null && bands === null) {
    return (
      <p className="text-pretty text-muted">
        Nothing to check yet. When a session ends, the forecasts it showed are compared with what happened.
      </p>
    );
  }
  return (
    <>
      {warnings && (
        <>
          <p>{warnings}</p>
          <Dots of={record.warnings} filled={record.cameTrue} />
        </>
      )}
      {bands && (
        <>
          <p className={warnings ? "mt-4" : ""}>{bands}</p>
          <Dots of={record.bands} filled={record.held} />
        </>
      )}
      <p className="mt-3 text-xs text-muted">From {plural(record.sessions, "finished session")}.</p>
    </>
  );
};

/** More are no picture any more. */
const MOST_DOTS = 60;

/** One dot for each; the sentence above says the same. */
const Dots = ({ of, filled }: { of: number; filled: number }) =>
  of <= MOST_DOTS && (
    <p className="mt-2 flex flex-wrap gap-1" aria-hidden="true">
      {Array.from({ length: of }, (_, index) => index).map((index) => (
        <span
          key={index}
          className={`size-2.5 rounded-full border ${index < filled ? "border-accent bg-accent" : "border-control"}`}
        />
      ))}
    </p>
  );
