import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Failure } from "@/shared/ui/failure";
import { SkeletonRows } from "@/shared/ui/skeleton";
import { readFailedAgain } from "@/store/query-client";

type LoadedProps<Data> = {
  of: UseQueryResult<Data>;
  /** What holds the place until it comes. */
  skeleton?: ReactNode;
  /** Of the place's own card, where it stands in none. */
  failureClass?: string;
  children: (data: Data) => ReactNode;
};

/** What was read, or why it is not there. What was read once stays while nothing answers. */
export const Loaded = <Data,>({
  of,
  skeleton = <SkeletonRows />,
  failureClass,
  children,
}: LoadedProps<Data>) => {
  if (of.data !== undefined) return children(of.data);
  if (of.isPending) return skeleton;
  return (
    <Failure
      reason={of.error?.message}
      onRetry={() => void readFailedAgain()}
      {...(failureClass && { className: failureClass })}
    />
  );
};

/** The place of a failure that stands alone. */
export const OWN_CARD = "card px-5 py-4";
