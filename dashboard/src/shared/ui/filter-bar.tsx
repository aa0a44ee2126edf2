import { type ComponentProps, type ReactNode, useEffect, useId, useRef, useState } from "react";
import { SearchIcon } from "@/shared/ui/icons";
import { useMedia } from "@/shared/use-media";

const FIELD =
  "h-9 min-w-0 rounded-lg border border-control bg-surface text-sm placeholder:text-muted hover:border-ink/40";

type FilterBarProps = {
  /** The field to search with, which is always in sight. */
  search?: ReactNode;
  /** The other filters; where there is no room they are behind a button. */
  children?: ReactNode;
  onClear: (() => void) | false;
};

/** The filters above a list, and what clears them. */
export const FilterBar = ({ search, children, onClear }: FilterBarProps) => {
  const isRoomy = useMedia("(min-width: 40rem)");
  const clear = onClear && (
    <button
      type="button"
      onClick={onClear}
      className="h-9 rounded-lg px-2.5 text-sm text-muted hover:bg-sunken hover:text-ink"
    >
      Clear filters
    </button>
  );
  return (
    <search className="mb-4 flex flex-wrap items-center gap-2 print:hidden">
      {search}
      {isRoomy ? (
        children
      ) : (
        <details className="w-full text-sm" open={onClear ? true : undefined}>
          <summary className="w-fit cursor-pointer rounded px-1 py-1.5 text-muted">Filters</summary>
          <div className="flex flex-wrap gap-2 pt-2">{children}</div>
        </details>
      )}
      {clear}
    </search>
  );
};

type SelectProps = Omit<ComponentProps<"select">, "onChange" | "value"> & {
  label: string;
  /** What stands for no choice. */
  any: string;
  value: string;
  options: readonly { value: string; label: string }[];
  onChange: (value: string) => void;
};

/** One filter: the browser's own list. A chosen one stands out. */
export const SelectFilter = ({ label, any, value, options, onChange, ...rest }: SelectProps) => (
  <select
    aria-label={label}
    value={value}
    onChange={({ target }) => onChange(target.value)}
    className={`${FIELD} field-sizing-content max-w-48 pr-7 pl-2.5 ${value === "" ? "text-muted" : "border-accent font-medium"}`}
    {...rest}
  >
    <option value="">{any}</option>
    {options.map((option) => (
      <option key={option.value} value={option.value}>
        {option.label}
      </option>
    ))}
  </select>
);

const TYPING_MS = 250;

type SearchFilterProps = { label: string; value: string; onChange: (value: string) => void };

/** A text to search for, told when the typing rests. The `/` key goes here. */
export const SearchFilter = ({ label, value, onChange }: SearchFilterProps) => {
  const id = useId();
  const [typed, setTyped] = useState(value);
  const [told, setTold] = useState(value);
  const latest = useRef(onChange);
  useEffect(() => {
    latest.current = onChange;
  });
  // The address changed by another way: back, or "clear filters".
  if (value !== told) {
    setTold(value);
    setTyped(value);
  }
  useEffect(() => {
    if (typed === told) return;
    const timer = setTimeout(() => {
      setTold(typed);
      latest.current(typed);
    }, TYPING_MS);
    return () => clearTimeout(timer);
  }, [typed, told]);
  return (
    <div className="relative min-w-64 flex-1 sm:max-w-96">
      <label htmlFor={id} className="sr-only">
        {label}
      </label>
      <SearchIcon className="pointer-events-none absolute top-1/2 left-3 size-3.5 -translate-y-1/2 text-muted" />
      <input
        id={id}
        type="search"
        value={typed}
        placeholder={label}
        autoComplete="off"
        data-search
        onChange={({ target }) => setTyped(target.value)}
        className={`${FIELD} w-full pr-3 pl-9`}
      />
    </div>
  );
};
