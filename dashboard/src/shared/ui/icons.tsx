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

export const LiveIcon = icon(<path d="M1.6 8.6h2.9L6.4 3l3.2 10 1.9-4.4h2.9" />);
export const SessionsIcon = icon(
  <>
    <circle cx="8" cy="8" r="6.2" />
    <path d="M8 4.4V8l2.4 1.6" />
  </>,
);
export const CompareIcon = icon(<path d="M3.4 13V6.6M6.4 13V3.2M9.8 13V8.4M12.8 13V5" strokeWidth="1.9" />);
export const AnalyticsIcon = icon(<path d="M2 2.4v10.2c0 .6.4 1 1 1h11M5 10.4l2.8-3.2 2.2 2 3.6-4.6" />);
export const CallsIcon = icon(
  <path d="M2 5.2h10.6M9.8 2.4l2.8 2.8-2.8 2.8M14 10.8H3.4M6.2 8l-2.8 2.8 2.8 2.8" />,
);
export const BellIcon = icon(
  <>
    <path d="M3.2 11.4c1-1 1.2-2.2 1.2-4a3.6 3.6 0 0 1 7.2 0c0 1.8.2 3 1.2 4z" />
    <path d="M6.6 13.8h2.8" />
  </>,
);
export const LimitsIcon = icon(<path d="M2.6 12a6.4 6.4 0 1 1 10.8 0M8 9.2l2.8-3.4" />);
export const ConnectIcon = icon(
  <path d="M6.2 9.8 2 14M9.8 6.2 14 2M4.4 7.2l4.4 4.4-1.2 1.2a3.1 3.1 0 0 1-4.4-4.4zM11.6 8.8 7.2 4.4l1.2-1.2a3.1 3.1 0 0 1 4.4 4.4z" />,
);
export const SettingsIcon = icon(
  <>
    <path d="M2 4.6h6.6M12.4 4.6H14M2 11.4h1.6M7.4 11.4H14" />
    <circle cx="10.5" cy="4.6" r="1.9" />
    <circle cx="5.5" cy="11.4" r="1.9" />
  </>,
);
export const SearchIcon = icon(
  <>
    <circle cx="7" cy="7" r="4.4" />
    <path d="m10.4 10.4 3.4 3.4" />
  </>,
);
export const MenuIcon = icon(<path d="M2.4 4.4h11.2M2.4 8h11.2M2.4 11.6h11.2" />);
export const CloseIcon = icon(<path d="m3.8 3.8 8.4 8.4M12.2 3.8l-8.4 8.4" />);
export const KeyboardIcon = icon(
  <>
    <rect x="1.6" y="3.8" width="12.8" height="8.4" rx="1.6" />
    <path d="M4.4 6.6h.1M7 6.6h.1M9.6 6.6h.1M12 6.6h.1M5 9.6h6" />
  </>,
);
export const ChevronIcon = icon(<path d="m6 3.6 4.4 4.4L6 12.4" />);
export const FlagIcon = icon(<path d="M3.6 14V2.4h8l-1.8 3 1.8 3h-8" />);
export const DownloadIcon = icon(<path d="M8 2v8M4.8 7 8 10.2 11.2 7M2.4 13.4h11.2" />);
export const PrintIcon = icon(<path d="M4.4 6V2.4h7.2V6M4.4 11.4H2.4V6h11.2v5.4h-2M4.4 9.4h7.2v4.2H4.4z" />);
export const TrashIcon = icon(<path d="M2.6 4.2h10.8M6 4.2V2.4h4v1.8M4 4.2l.6 9.4h6.8l.6-9.4" />);

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
