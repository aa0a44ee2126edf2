import type { ComponentProps } from "react";

const look = {
  primary: "border-transparent bg-accent text-on-accent hover:brightness-110",
  plain: "border-line bg-surface text-ink hover:border-control",
  quiet: "border-transparent text-muted hover:bg-sunken hover:text-ink",
} as const;

const sizes = { normal: "h-10 px-4 text-sm", small: "h-8 px-2.5 text-xs" } as const;

type ButtonProps = ComponentProps<"button"> & { variant?: keyof typeof look; size?: keyof typeof sizes };

export const Button = ({
  variant = "plain",
  size = "normal",
  className = "",
  type = "button",
  ...rest
}: ButtonProps) => (
  <button
    type={type}
    className={`inline-flex items-center justify-center gap-2 rounded-lg border font-medium whitespace-nowrap transition-colors aria-disabled:opacity-60 ${sizes[size]} ${look[variant]} ${className}`}
    {...rest}
  />
);
