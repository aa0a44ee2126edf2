/** Where something will be that is on its way: of the same size, so that nothing moves when it comes. */
export const Skeleton = ({ className }: { className: string }) => (
  <span className={`block animate-breathe rounded-lg bg-line ${className}`} aria-hidden="true" />
);

const ROWS = ["a", "b", "c", "d", "e", "f", "g", "h"];

const WIDTHS = ["w-2/5", "w-1/3", "w-1/2", "w-1/4"];

const Loading = () => (
  <span role="status" className="sr-only">
    Loading…
  </span>
);

/** Rows of a list: a text, and a number at its end. */
export const SkeletonRows = ({ rows = 6, height = "h-11" }: { rows?: number; height?: string }) => (
  <div className="px-5 pb-3">
    {ROWS.slice(0, rows).map((row, index) => (
      <div
        key={row}
        className={`flex items-center justify-between border-line/60 not-last:border-b ${height}`}
      >
        <Skeleton className={`h-3 ${WIDTHS[index % WIDTHS.length]}`} />
        <Skeleton className="h-3 w-12" />
      </div>
    ))}
    <Loading />
  </div>
);

/** A card of which only its place is known. */
export const SkeletonCard = ({ className }: { className: string }) => (
  <div className={`card min-w-0 p-5 ${className}`}>
    <Skeleton className="h-3 w-28 max-w-full" />
  </div>
);

/** A page whose code, or all that it shows, is on its way. */
export const PageSkeleton = () => (
  <div className="grid gap-4 pt-6">
    <Skeleton className="mb-2 h-6 w-48" />
    <SkeletonCard className="h-24" />
    <SkeletonCard className="h-64" />
    <Loading />
  </div>
);

/** The row of totals of a page. */
export const StatsSkeleton = () => (
  <div className="grid grid-cols-2 gap-3 sm:gap-4 lg:grid-cols-4 lg:gap-5">
    {ROWS.slice(0, 4).map((stat) => (
      <div key={stat} className="card min-w-0 px-4 py-3.5 sm:px-5 sm:py-4">
        <Skeleton className="my-1 h-3 w-16" />
        <Skeleton className="mt-3 h-6 w-24 max-w-full" />
        <Skeleton className="mt-4 h-3 w-36 max-w-full" />
      </div>
    ))}
    <Loading />
  </div>
);
