import type { UseQueryResult } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
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
  // What failed and is read again is "pending" anew: the failure stays in sight until something better is known.
  const [reason, setReason] = useState(of.error?.message);
  if (of.error && of.error.message !== reason) setReason(of.error.message);
  if (of.data !== undefined) return children(of.data);
  if (of.isPending && reason === undefined) return skeleton;
  return (
    <Failure
      reason={reason}
      busy={of.isFetching}
      onRetry={() => void readFailedAgain()}
      {...(failureClass && { className: failureClass })}
    />
  );
};

/** The place of a failure that stands alone. */
export const OWN_CARD = "card px-5 py-4";
