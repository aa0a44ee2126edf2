import { type ReactNode, useId } from "react";

type SelectFieldProps = {
  label: string;
  name: string;
  value: string;
  /** The choices: `<option>`s. */
  children: ReactNode;
};

/** A form's choice of one, with its label above: the browser's own list. */
export const SelectField = ({ label, name, value, children }: SelectFieldProps) => {
  const id = useId();
  return (
    <div className="grid min-w-0 gap-1.5">
      <label htmlFor={id} className="text-xs leading-5 font-medium text-muted">
        {label}
      </label>
      <select
        id={id}
        name={name}
        defaultValue={value}
        className="h-11 w-full min-w-0 rounded-xl border border-control bg-surface pr-8 pl-3 text-sm"
      >
        {children}
      </select>
    </div>
  );
};
