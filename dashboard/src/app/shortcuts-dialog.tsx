import { pages } from "@/app/pages";
import { Dialog } from "@/shared/ui/dialog";
import { Keys } from "@/shared/ui/keys";
import { setSingleKeys, showOverlay, useUi } from "@/store/ui-store";

const everywhere = [
  { keys: "mod+k", what: "Go to a page or a session, or do something" },
  { keys: "?", what: "These shortcuts" },
  { keys: "/", what: "Search in the page" },
  { keys: "Space", what: "Pause or resume, on Live" },
  { keys: "c", what: "Note a checkpoint, on Live" },
];

export const ShortcutsDialog = () => {
  const singleKeys = useUi((ui) => ui.singleKeys);
  const all = [
    ...everywhere,
    ...pages.map(({ label, key }) => ({ keys: `g ${key}`, what: `Go to ${label}` })),
  ];
  return (
    <Dialog title="Keyboard shortcuts" onClose={() => showOverlay(null)}>
      <dl className="grid gap-x-8 gap-y-2 text-sm sm:grid-cols-2">
        {all.map(({ keys, what }) => (
          <div key={keys} className="flex items-center justify-between gap-4">
            <dt className="text-muted">{what}</dt>
            <dd>
              <Keys of={keys} />
            </dd>
          </div>
        ))}
      </dl>
      <label className="mt-5 flex items-center gap-2.5 border-t border-line pt-4 text-sm">
        <input
          type="checkbox"
          checked={singleKeys}
          onChange={({ target }) => setSingleKeys(target.checked)}
          className="size-4 accent-accent"
        />
        Single keys do something
      </label>
    </Dialog>
  );
};
