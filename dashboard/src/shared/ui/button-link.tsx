import type { ReactNode } from "react";
import { Link } from "wouter";

const LOOK =
  "inline-flex h-9 items-center gap-2 rounded-lg border border-line bg-surface px-3 text-sm font-medium whitespace-nowrap hover:border-control";

type ButtonLinkProps = { href: string; download?: boolean; children: ReactNode };

/** A link that looks like a button: to another page, or to a file. */
export const ButtonLink = ({ href, download = false, children }: ButtonLinkProps) =>
  download ? (
    <a href={href} download className={LOOK}>
      {children}
    </a>
  ) : (
    <Link href={href} className={LOOK}>
      {children}
    </Link>
  );
