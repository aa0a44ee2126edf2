const RADIUS = 40;
const TOP = `60 ${60 - RADIUS}`;
const BOTTOM = `60 ${60 + RADIUS}`;
/** What an open-ended session shows: a crescent that means nothing but "here". */
const RESTING = 0.3;

/** The lit part of a waxing moon: the right edge, and back along the terminator, which is half an ellipse. */
const lit = (phase: number): string => {
  const bulge = RADIUS * Math.abs(1 - 2 * phase);
  return `M${TOP}A${RADIUS} ${RADIUS} 0 0 1 ${BOTTOM}A${bulge} ${RADIUS} 0 0 ${phase < 0.5 ? 0 : 1} ${TOP}Z`;
};

type MoonDialProps = { progress: number | null; awake: boolean };

/** The planned time as a ring, and as a moon that is full when the time is over. The text beside it says the same. */
export const MoonDial = ({ progress, awake }: MoonDialProps) => {
  const share = progress === null ? null : Math.min(1, Math.max(0, progress));
  return (
    <svg
      viewBox="0 0 120 120"
      className={`w-full transition-opacity ${awake ? "" : "opacity-60"}`}
      aria-hidden="true"
    >
      <circle cx="60" cy="60" r={RADIUS} className="fill-moon-shade" />
      <path d={lit(share ?? RESTING)} className="fill-moon" />
      {share !== null && (
        <g fill="none" strokeWidth="3" transform="rotate(-90 60 60)">
          <circle cx="60" cy="60" r="56" className="stroke-line" />
          <circle
            cx="60"
            cy="60"
            r="56"
            pathLength="1"
            strokeDasharray={`${share} 1`}
            className="stroke-accent"
          />
        </g>
      )}
    </svg>
  );
};
