import { type ComponentProps, type KeyboardEvent, type ReactNode, useId } from "react";

type Labelled = {
  name: string;
  label?: string;
  problem: string | undefined;
};

type TextFieldProps = Omit<ComponentProps<"input">, "name"> & Labelled;

const LOOK =
  "w-full min-w-0 rounded-xl border border-control bg-surface placeholder:text-muted aria-invalid:border-bad";

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
    <Frame id={id ?? own} label={label} problem={problem}>
      <input id={id ?? own} {...described(id ?? own, problem)} className={`${LOOK} ${className}`} {...rest} />
    </Frame>
  );
};

type TextAreaProps = Omit<ComponentProps<"textarea">, "name"> & Labelled;

/** The same for a text of several lines. Enter begins a new one; with Ctrl or ⌘ it sends the form. */
export const TextArea = ({
  id,
  label,
  problem,
  className = "px-3.5 py-2.5 text-sm",
  ...rest
}: TextAreaProps) => {
  const own = useId();
  const send = ({ key, ctrlKey, metaKey, currentTarget }: KeyboardEvent<HTMLTextAreaElement>): void => {
    if (key === "Enter" && (ctrlKey || metaKey)) currentTarget.form?.requestSubmit();
  };
  return (
    <Frame id={id ?? own} label={label} problem={problem}>
      <textarea
        id={id ?? own}
        {...described(id ?? own, problem)}
        onKeyDown={send}
        className={`${LOOK} ${className}`}
        {...rest}
      />
    </Frame>
  );
};

const described = (id: string, problem: string | undefined) => ({
  autoComplete: "off",
  "aria-invalid": problem !== undefined,
  "aria-describedby": problem ? `${id}-problem` : undefined,
});

type FrameProps = {
  id: string;
  label: string | undefined;
  problem: string | undefined;
  children: ReactNode;
};

const Frame = ({ id, label, problem, children }: FrameProps) => (
  <div className="grid gap-1.5">
    {label && (
      <label htmlFor={id} className="text-xs leading-5 font-medium text-muted">
        {label}
      </label>
    )}
    {children}
    {problem && (
      <p id={`${id}-problem`} role="alert" className="text-xs text-bad">
        {problem}
      </p>
    )}
  </div>
);
