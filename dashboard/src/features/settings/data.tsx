import type { SettingsView } from "@/api/types.gen";
import { settingText } from "@/features/settings/settings-list";
import { UNKNOWN } from "@/shared/format";
import { DownloadIcon } from "@/shared/ui/icons";
import { Panel } from "@/shared/ui/panel";
import { withCode } from "@/shared/ui/with-code";
import { useRead } from "@/store/query-client";

const exports = [
  { format: "csv", label: "CSV", about: "for a spreadsheet" },
  { format: "json", label: "JSON", about: "one document" },
  { format: "jsonl", label: "JSON lines", about: "one call a line" },
] as const;

const { timeZone } = Intl.DateTimeFormat().resolvedOptions();

/** Where what was counted lies, and how to take it along. */
export const DataPanel = () => {
  const settings = useRead<SettingsView>("fixed", "/api/settings");
  const text = (name: string): string => {
    const found = settings.data?.settings.find((setting) => setting.name === name);
    return (found && settingText(found, found.value)) ?? UNKNOWN;
  };
  const isDaily = text("backup.daily") === "yes";
  return (
    <Panel title="Your data">
      <dl className="grid grid-cols-[auto_minmax(0,1fr)] gap-x-6 gap-y-2 px-5 pb-4 text-sm">
        <Fact label="Database">{text("store.path")}</Fact>
        <Fact label="Backups">
          {isDaily
            ? `every day, kept for ${text("backup.keep_days")} days, in ${text("backup.directory")}`
            : withCode("none by itself: `moonlock backup` makes one")}
        </Fact>
        <Fact label="Kept">everything, until you delete it; never a key, a prompt or a reply</Fact>
        <Fact label="Days begin">at midnight, {timeZone.replaceAll("_", " ")} time (this browser’s)</Fact>
      </dl>
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

const Fact = ({ label, children }: { label: string; children: React.ReactNode }) => (
  <>
    <dt className="text-muted">{label}</dt>
    <dd className="[overflow-wrap:anywhere]">{children}</dd>
  </>
);
