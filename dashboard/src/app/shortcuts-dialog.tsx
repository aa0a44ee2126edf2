import { pages } from "@/app/pages";
import { Dialog } from "@/shared/ui/dialog";
import { Keys } from "@/shared/ui/keys";
import { setSingleKeys, showOverlay, useUi } from "@/store/ui-store";

type Shortcut = { keys: string; what: string };

const groups: [title: string, Shortcut[]][] = [
  ["Go to", pages.map(({ label, key }) => ({ keys: `g ${key}`, what: label }))],
  [
    "Everywhere",
    [
      { keys: "mod+k", what: "Find anything" },
      { keys: "/", what: "Search in the page" },
      { keys: "?", what: "These shortcuts" },
    ],
  ],
  [
    "On Live",
    [
      { keys: "Space", what: "Pause or resume" },
      { keys: "c", what: "Note a checkpoint" },
    ],
  ],
];

export const ShortcutsDialog = () => {
  const singleKeys = useUi((ui) => ui.singleKeys);
  return (
    <Dialog title="Keyboard shortcuts" onClose={() => showOverlay(null)}>
      <div className="grid gap-x-10 gap-y-5 text-sm sm:grid-cols-2 sm:grid-rows-[auto_1fr]">
        {groups.map(([title, shortcuts]) => (
          <section key={title} className="first:row-span-2">
            <h3 className="mb-2 text-xs font-medium text-muted">{title}</h3>
            <dl className="grid gap-y-2">
              {shortcuts.map(({ keys, what }) => (
                <div key={keys} className="flex items-center justify-between gap-4">
                  <dt>{what}</dt>
                  <dd>
                    <Keys of={keys} />
                  </dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
      <label className="mt-5 flex items-center gap-2.5 border-t border-line pt-4 text-sm">
        <input
          type="checkbox"
          checked={singleKeys}
          onChange={({ target }) => setSingleKeys(target.checked)}
          className="size-4"
        />
        Shortcuts of one key, without Ctrl or ⌘
      </label>
    </Dialog>
  );
};
