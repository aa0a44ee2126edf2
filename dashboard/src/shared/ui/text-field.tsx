import { type ComponentProps, useId } from "react";

type TextFieldProps = Omit<ComponentProps<"input">, "name"> & {
  name: string;
  label?: string;
  problem: string | undefined;
};

/** A field with its label above and what is wrong with it below. */
export const TextField = ({
  id,
  label,
  problem,
  className = "h-11 px-3.5 text-sm",
  ...rest
}: TextFieldProps) => {
  const own = useId();
  return (
    <div className="grid gap-1.5">
      {label && (
        <label htmlFor={id ?? own} className="text-xs leading-5 font-medium text-muted">
          {label}
        </label>
      )}
      <input
        id={id ?? own}
        autoComplete="off"
        aria-invalid={problem !== undefined}
        aria-describedby={problem ? `${own}-problem` : undefined}
        className={`w-full min-w-0 rounded-xl border border-control bg-surface placeholder:text-muted aria-invalid:border-bad ${className}`}
        {...rest}
      />
      {problem && (
        <p id={`${own}-problem`} role="alert" className="text-xs text-bad">
          {problem}
        </p>
      )}
    </div>
  );
};
