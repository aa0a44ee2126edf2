type Option<Value extends string> = { value: Value; label: string };

type SegmentedProps<Value extends string> = {
  /** What is chosen between. */
  label: string;
  options: readonly Option<Value>[];
  value: Value;
  onChange: (value: Value) => void;
};

/** A choice of a few, all in sight. */
export const Segmented = <Value extends string>({
  label,
  options,
  value,
  onChange,
}: SegmentedProps<Value>) => (
  <fieldset className="relative flex max-w-full min-w-0 shrink-0 overflow-x-auto rounded-lg bg-sunken p-0.5 print:hidden">
    <legend className="sr-only">{label}</legend>
    {options.map((option) => (
      <button
        key={option.value}
        type="button"
        aria-pressed={option.value === value}
        onClick={() => onChange(option.value)}
        className="h-7 rounded-md px-2.5 text-xs sm:px-3 font-medium whitespace-nowrap text-muted hover:text-ink aria-pressed:bg-raised aria-pressed:text-ink aria-pressed:shadow-xs"
      >
        {option.label}
      </button>
    ))}
  </fieldset>
);
