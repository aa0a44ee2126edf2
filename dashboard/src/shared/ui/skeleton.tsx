/** Where something will be that is on its way: of the same size, so that nothing moves when it comes. */
export const Skeleton = ({ className }: { className: string }) => (
  <span className={`block animate-breathe rounded-lg bg-moon-shade/80 ${className}`} aria-hidden="true" />
);

const ROWS = ["a", "b", "c", "d", "e", "f", "g", "h"];

/** Rows of a list. */
export const SkeletonRows = ({ rows = 6, height = "h-9" }: { rows?: number; height?: string }) => (
  <div className="grid gap-2 px-5 pb-5">
    {ROWS.slice(0, rows).map((row) => (
      <Skeleton key={row} className={height} />
    ))}
    <span role="status" className="sr-only">
      Loading…
    </span>
  </div>
);

/** A page whose code is on its way. */
export const PageSkeleton = () => (
  <div className="grid gap-4 pt-4">
    <Skeleton className="h-8 w-48" />
    <Skeleton className="h-24" />
    <Skeleton className="h-64" />
    <span role="status" className="sr-only">
      Loading…
    </span>
  </div>
);
