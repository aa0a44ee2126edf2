import type { SettingView, StorageView } from "@/api/types.gen";
import { Fact } from "@/features/settings/fact";
import { KeepCalls } from "@/features/settings/keep-calls";
import { SETTING } from "@/features/settings/retention";
import { SettingValue } from "@/features/settings/setting-value";
import { useSettings } from "@/features/settings/use-settings";
import { makeBackup } from "@/shared/api-client";
import { bytes, day, fullDate, plural } from "@/shared/format";
import { Button } from "@/shared/ui/button";
import { DownloadIcon } from "@/shared/ui/icons";
import { Loaded } from "@/shared/ui/loaded";
import { Panel } from "@/shared/ui/panel";
import { useAction } from "@/shared/use-action";
import { serverNow, useLive } from "@/store/live-store";
import { queryClient, useRead } from "@/store/query-client";

const exports = [
  { format: "csv", label: "CSV", about: "for a spreadsheet" },
  { format: "json", label: "JSON", about: "one document" },
  { format: "jsonl", label: "JSON lines", about: "one call a line" },
] as const;

const PATH = "/api/storage";

/** Where what was counted lies, how large it is, its copies, and how to take it along. */
export const DataPanel = () => {
  const storage = useRead<StorageView>("usage", PATH);
  return (
    <Panel title="Your data">
      <Loaded of={storage}>{(view) => <Facts storage={view} />}</Loaded>
      <div className="border-t border-line px-5 py-4 text-sm">
        <h3 className="font-medium">Export every call</h3>
        <p className="mt-2 flex flex-wrap gap-2">
          {exports.map(({ format, label, about }) => (
            <a
              key={format}
              href={`/api/export?format=${format}`}
              download
              className="inline-flex h-10 items-center gap-2 rounded-lg border border-line px-3.5 font-medium hover:border-control"
            >
              <DownloadIcon />
              {label} <span className="text-xs font-normal text-muted">{about}</span>
            </a>
          ))}
        </p>
      </div>
    </Panel>
  );
};

const Facts = ({ storage }: { storage: StorageView }) => {
  const settings = useSettings();
  const setting = (name: string): SettingView | undefined =>
    settings.data?.settings.find((one) => one.name === name);
  const keepCalls = setting(SETTING);
  const daily = setting("backup.daily");
  const keep = setting("backup.keep_days");
  return (
    <dl className="pb-1 text-sm">
      <Fact label="Size" about={<Path text={storage.path} />}>
        {bytes(storage.bytes)} · {plural(storage.calls, "call")}
        {/* Where the first of them are gone, the oldest that is there does not say since when. */}
        {storage.callsSince !== null
          ? " in all"
          : storage.oldestCallAt !== null && ` since ${fullDate(storage.oldestCallAt)}`}
      </Fact>
      {keepCalls && <KeepCalls storage={storage} setting={keepCalls} />}
      <LastBackup storage={storage} />
      {daily && (
        <Fact label="Daily backup" about={<Path text={storage.directory} />}>
          <SettingValue setting={daily} />
        </Fact>
      )}
      {keep && (
        <Fact label="Days that a daily backup is kept">
          <SettingValue setting={keep} />
        </Fact>
      )}
    </dl>
  );
};

const LastBackup = ({ storage: { lastBackup } }: { storage: StorageView }) => {
  const clock = useLive((live) => live.state.clock);
  const { problem, busy, run } = useAction();
  const make = async (): Promise<void> => {
    queryClient.setQueryData(["usage", PATH], await makeBackup());
  };
  return (
    <Fact
      label="Last backup"
      about={
        lastBackup ? (
          <>
            <Path text={lastBackup.file} /> · {bytes(lastBackup.bytes)}
          </>
        ) : (
          "A whole copy of the database, checked after it was made."
        )
      }
    >
      <div className="flex flex-wrap items-center gap-x-3 gap-y-2 md:justify-end">
        <span role="status">
          {lastBackup ? day(lastBackup.at, serverNow(clock, performance.now())) : "None yet"}
        </span>
        <Button size="small" className="-my-1" aria-disabled={busy} onClick={() => run(make)}>
          {busy ? "Copying…" : "Back up now"}
        </Button>
      </div>
      {problem && (
        <p role="alert" className="mt-1 text-xs text-bad">
          {problem}
        </p>
      )}
    </Fact>
  );
};

const Path = ({ text }: { text: string }) => (
  <code className="font-mono [overflow-wrap:anywhere]">{text}</code>
);
