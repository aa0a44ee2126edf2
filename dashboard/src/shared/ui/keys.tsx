/** Whether the command key is the modifier here. */
const isMac = /mac|iphone|ipad/i.test(navigator.platform);

const names: Record<string, string> = { mod: isMac ? "⌘" : "Ctrl", Space: "Space", Escape: "Esc" };

/** Whether the platform's own modifier is held. */
export const holdsMod = (event: KeyboardEvent): boolean => (isMac ? event.metaKey : event.ctrlKey);

type KeysProps = {
  /** `mod+k` are held together, `g l` are pressed one after the other. */
  of: string;
  className?: string;
};

export const Keys = ({ of, className = "" }: KeysProps) => (
  <span className={`inline-flex items-center gap-1 ${className}`}>
    {of.split(/[ +]/).map((key) => (
      <kbd
        key={key}
        className="inline-grid h-5 min-w-5 place-items-center rounded border border-line bg-canvas px-1 font-sans text-[0.6875rem] text-muted"
      >
        {names[key] ?? (key.length === 1 ? key.toUpperCase() : key)}
      </kbd>
    ))}
  </span>
);
