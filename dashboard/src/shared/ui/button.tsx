import type { ComponentProps } from "react";

const look = {
  primary: "border-transparent bg-accent text-on-accent hover:brightness-110",
  plain: "border-line bg-surface text-ink hover:border-control",
  quiet: "border-transparent text-muted hover:bg-sunken hover:text-ink",
} as const;

type ButtonProps = ComponentProps<"button"> & { variant?: keyof typeof look };

export const Button = ({ variant = "plain", className = "", type = "button", ...rest }: ButtonProps) => (
  <button
    type={type}
    className={`inline-flex h-10 items-center justify-center gap-2 rounded-lg border px-4 text-sm font-medium whitespace-nowrap transition-colors aria-disabled:opacity-60 ${look[variant]} ${className}`}
    {...rest}
  />
);
