import type { SettingView } from "@/api/types.gen";
import { SettingValue } from "@/features/settings/setting-value";
import {
  folded,
  isChanged,
  matching,
  settingGroups,
  settingText,
  sourceText,
  waysToSet,
} from "@/features/settings/settings-list";
import { useSettings } from "@/features/settings/use-settings";
import { EmptyState } from "@/shared/ui/empty-state";
import { SearchFilter } from "@/shared/ui/filter-bar";
import { Loaded } from "@/shared/ui/loaded";
import { Panel } from "@/shared/ui/panel";
import { withCode } from "@/shared/ui/with-code";
import { useUrlState } from "@/shared/use-url-state";

/** Every setting: what holds, what would, and who said so. */
export const SettingsPanels = () => {
  const settings = useSettings();
  const [{ q }, change] = useUrlState("q");
  return (
    <Panel title="Configuration">
      <Loaded of={settings}>
        {({ file, restartNeeded, settings: all }) => (
          <>
            {restartNeeded && (
              <p role="status" className="mx-5 mb-4 rounded-lg bg-warn-soft px-4 py-2.5 text-sm text-warn">
                Start Moonlock again: something was changed that holds from the next start on.
              </p>
            )}
            <p className="px-5 pb-4 text-sm text-pretty text-muted">
              {file === null
                ? "There is no configuration file; everything is as it comes, or said by the environment and the command line."
                : "From the configuration file "}
              {file !== null && (
                <code className="font-mono text-xs text-ink [overflow-wrap:anywhere]">{file}</code>
              )}
              {file !== null && ", then the environment, then the command line: the later one holds."}
            </p>
            <div className="px-5">
              <search className="mb-4 flex">
                <SearchFilter label="Find a setting" value={q} onChange={(text) => change({ q: text })} />
              </search>
            </div>
            {matching(all, q).length === 0 && <EmptyState title={`No setting has “${q}” in it`} />}
            {settingGroups(matching(all, q)).map(({ title, settings: group }) => (
              <section key={title} aria-label={title} className="border-t border-line">
                <h3 className="px-5 pt-4 pb-1 text-xs font-medium text-muted">{title}</h3>
                <Rows settings={group} isWhole={q !== ""} />
              </section>
            ))}
          </>
        )}
      </Loaded>
    </Panel>
  );
};

type RowsProps = {
  settings: readonly SettingView[];
  /** Whether all of them are looked for. */
  isWhole: boolean;
};

const Rows = ({ settings, isWhole }: RowsProps) => {
  const { shown, more } = isWhole ? { shown: settings, more: [] } : folded(settings);
  const list = (some: readonly SettingView[]) => (
    <ul className="pb-1">
      {some.map((setting) => (
        <Row key={setting.name} setting={setting} />
      ))}
    </ul>
  );
  return (
    <>
      {list(shown)}
      {more.length > 0 && (
        <details className="pb-2">
          <summary className="mx-5 w-fit cursor-pointer rounded py-1.5 text-sm text-muted">
            {more.length} more, all as they come
          </summary>
          {list(more)}
        </details>
      )}
    </>
  );
};

const Row = ({ setting }: { setting: SettingView }) => {
  const { name, meaning, default: usual, source, needsRestart, changeable, pending } = setting;
  const ways = waysToSet(setting);
  return (
    <li
      data-testid="setting"
      className="grid gap-x-6 gap-y-1 px-5 py-3 text-sm md:grid-cols-[minmax(0,1.3fr)_minmax(0,1fr)]"
    >
      <div className="min-w-0">
        <code className="font-mono text-[0.8125rem] [overflow-wrap:anywhere]">{name}</code>
        <p className="text-xs text-pretty text-muted">
          {withCode(meaning)}
          {ways.length > 0 && (
            <>
              {" "}
              Also{" "}
              {ways.map((way, index) => (
                <span key={way}>
                  {index > 0 && ", "}
                  <code className="font-mono whitespace-nowrap">{way}</code>
                </span>
              ))}
              .
            </>
          )}
        </p>
      </div>
      <div className="min-w-0 md:text-right">
        <SettingValue setting={setting} />
        <p className="mt-1 text-xs text-muted">
          {sourceText(source)}
          {isChanged(setting) && ` · default: ${settingText(setting, usual) ?? "none"}`}
          {pending ? (
            <span className="font-medium text-warn"> · holds after a restart</span>
          ) : (
            changeable && needsRestart && " · a change needs a restart"
          )}
        </p>
      </div>
    </li>
  );
};
