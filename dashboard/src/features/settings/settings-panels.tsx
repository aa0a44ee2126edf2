import type { SettingsView, SettingView } from "@/api/types.gen";
import {
  isChanged,
  settingGroups,
  settingText,
  sourceText,
  waysToSet,
} from "@/features/settings/settings-list";
import { UNKNOWN } from "@/shared/format";
import { Loaded } from "@/shared/ui/loaded";
import { Panel } from "@/shared/ui/panel";
import { useRead } from "@/store/query-client";

/** Every setting: what holds, what would, and who said so. */
export const SettingsPanels = () => {
  const settings = useRead<SettingsView>("fixed", "/api/settings");
  return (
    <Panel title="Configuration">
      <Loaded of={settings}>
        {({ file, settings: all }) => (
          <>
            <p className="px-5 pb-4 text-sm text-pretty text-muted">
              {file === null
                ? "There is no configuration file; everything is as it comes, or said by the environment and the command line."
                : "From the configuration file "}
              {file !== null && (
                <code className="font-mono text-xs text-ink [overflow-wrap:anywhere]">{file}</code>
              )}
              {file !== null && ", then the environment, then the command line: the later one holds."}
              {all.every(({ needsRestart }) => needsRestart) && " A change holds after a restart."}
            </p>
            {settingGroups(all).map(({ title, settings: group }) => (
              <section key={title} aria-label={title} className="border-t border-line">
                <h3 className="px-5 pt-4 pb-1 text-xs font-medium text-muted">{title}</h3>
                <ul className="pb-1">
                  {group.map((setting) => (
                    <Row
                      key={setting.name}
                      setting={setting}
                      restart={all.some(({ needsRestart }) => !needsRestart)}
                    />
                  ))}
                </ul>
              </section>
            ))}
          </>
        )}
      </Loaded>
    </Panel>
  );
};

type RowProps = {
  setting: SettingView;
  /** Whether it is worth saying that it needs a restart: not all of them do. */
  restart: boolean;
};

const Row = ({ setting, restart }: RowProps) => {
  const { name, meaning, value, default: usual, source, needsRestart } = setting;
  const ways = waysToSet(setting);
  const changed = isChanged(setting);
  return (
    <li
      data-testid="setting"
      className="grid gap-x-6 gap-y-1 px-5 py-2.5 text-sm md:grid-cols-[minmax(0,1.3fr)_minmax(0,1fr)]"
    >
      <div className="min-w-0">
        <code className="font-mono text-[0.8125rem] [overflow-wrap:anywhere]">{name}</code>
        <p className="text-xs text-pretty text-muted">
          {meaning}
          {ways.length > 0 && (
            <>
              {" "}
              Also{" "}
              {ways.map((way, index) => (
                <span key={way}>
                  {index > 0 && ", "}
                  <code className="font-mono">{way}</code>
                </span>
              ))}
              .
            </>
          )}
        </p>
      </div>
      <div className="min-w-0 md:text-right">
        <p className={`[overflow-wrap:anywhere] ${changed ? "font-medium" : ""}`}>
          {settingText(setting, value) ?? <span className="font-normal text-muted">{UNKNOWN}</span>}
        </p>
        <p className="text-xs text-muted">
          {sourceText(source)}
          {changed && ` · default: ${settingText(setting, usual) ?? "none"}`}
          {restart && needsRestart && " · needs a restart"}
        </p>
      </div>
    </li>
  );
};
