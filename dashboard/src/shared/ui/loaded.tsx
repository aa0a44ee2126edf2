import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Button } from "@/shared/ui/button";
import { EmptyState } from "@/shared/ui/empty-state";
import { SkeletonRows } from "@/shared/ui/skeleton";

type LoadedProps<Data> = {
  of: UseQueryResult<Data>;
  /** What holds the place until it comes. */
  skeleton?: ReactNode;
  children: (data: Data) => ReactNode;
};

/** Problems are told in lower case. */
const sentence = (text: string): string =>
  `${text.charAt(0).toUpperCase()}${text.slice(1).replace(/\.$/, "")}.`;

/** What was read, or why it is not there. What was read once stays while nothing answers. */
export const Loaded = <Data,>({ of, skeleton = <SkeletonRows />, children }: LoadedProps<Data>) => {
  if (of.data !== undefined) return children(of.data);
  if (of.isPending) return skeleton;
  return (
    <div role="alert">
      <EmptyState
        title="This could not be read"
        action={<Button onClick={() => void of.refetch()}>Try again</Button>}
      >
        {of.error && sentence(of.error.message)}
      </EmptyState>
    </div>
  );
};
