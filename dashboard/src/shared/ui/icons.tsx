import type { ReactNode } from "react";

type IconProps = { className?: string };

const icon =
  (paths: ReactNode) =>
  ({ className = "size-4" }: IconProps) => (
    <svg
      viewBox="0 0 16 16"
      className={`shrink-0 ${className}`}
      fill="none"
      stroke="currentColor"
      strokeWidth="1.6"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
    >
      {paths}
    </svg>
  );

export const PauseIcon = icon(<path d="M5.5 3.5v9M10.5 3.5v9" strokeWidth="2.2" />);
export const PlayIcon = icon(<path d="M5 3.2v9.6L12.6 8z" fill="currentColor" />);
export const CheckIcon = icon(<path d="m3 8.6 3.2 3.2L13 4.8" />);
export const CopyIcon = icon(
  <>
    <rect x="5.5" y="5.5" width="8" height="8" rx="1.8" />
    <path d="M10.5 5.5V4A1.5 1.5 0 0 0 9 2.5H4A1.5 1.5 0 0 0 2.5 4v5A1.5 1.5 0 0 0 4 10.5h1.5" />
  </>,
);
export const SunIcon = icon(
  <>
    <circle cx="8" cy="8" r="2.8" />
    <path d="M8 1.4v1.3M8 13.3v1.3M1.4 8h1.3M13.3 8h1.3M3.3 3.3l.9.9M11.8 11.8l.9.9M12.7 3.3l-.9.9M4.2 11.8l-.9.9" />
  </>,
);
export const MoonIcon = icon(<path d="M13.2 9.6A5.6 5.6 0 0 1 6.4 2.8a5.6 5.6 0 1 0 6.8 6.8Z" />);
export const SystemIcon = icon(
  <>
    <rect x="1.8" y="2.8" width="12.4" height="8.4" rx="1.6" />
    <path d="M5.8 13.6h4.4" />
  </>,
);
export const AlertIcon = icon(
  <>
    <path d="M8 2.2 14.4 13H1.6z" />
    <path d="M8 6.4v3M8 11.2v.1" />
  </>,
);

const InfoIcon = icon(
  <>
    <circle cx="8" cy="8" r="6" />
    <path d="M8 7.4v3.4M8 5.2v.1" />
  </>,
);
const CriticalIcon = icon(
  <>
    <path d="M5.4 1.8h5.2l3.6 3.6v5.2l-3.6 3.6H5.4l-3.6-3.6V5.4z" />
    <path d="M8 4.8v3.8M8 11v.1" />
  </>,
);

const severities = { info: InfoIcon, warning: AlertIcon, critical: CriticalIcon } as const;

/** How much an alert matters, as a shape of its own: a colour alone says nothing to some. */
export const SeverityIcon = ({ severity }: { severity: keyof typeof severities }) => {
  const Icon = severities[severity];
  return <Icon />;
};

/** The wordmark's moon. */
export const MoonMark = ({ className = "size-6" }: IconProps) => (
  <svg viewBox="0 0 24 24" className={`shrink-0 ${className}`} aria-hidden="true">
    <path d="M14.9 3.4a9 9 0 1 0 6 12.1A7.6 7.6 0 0 1 14.9 3.4Z" className="fill-accent" />
    <circle cx="18.2" cy="6.6" r="1.5" className="fill-accent opacity-60" />
  </svg>
);
