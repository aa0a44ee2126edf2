type SwitchProps = {
  /** What it turns on and off. */
  label: string;
  checked: boolean;
  /** What stands beside it, for both states. */
  words: { on: string; off: string };
  busy?: boolean;
  onToggle: () => void;
};

/** Something that is on or off, and changes at a press. */
export const Switch = ({ label, checked, words, busy = false, onToggle }: SwitchProps) => (
  <button
    type="button"
    role="switch"
    aria-checked={checked}
    aria-label={label}
    aria-disabled={busy}
    onClick={onToggle}
    className="group inline-flex shrink-0 items-center gap-2 rounded-full text-xs text-muted aria-disabled:opacity-60"
  >
    {checked ? words.on : words.off}
    <span className="flex h-5 w-9 items-center rounded-full border border-control bg-sunken p-0.5 group-aria-checked:border-accent group-aria-checked:bg-accent">
      <span className="size-3.5 rounded-full bg-control transition-transform group-aria-checked:translate-x-4 group-aria-checked:bg-on-accent" />
    </span>
  </button>
);
