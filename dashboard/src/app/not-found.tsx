import { ButtonLink } from "@/shared/ui/button-link";
import { EmptyState } from "@/shared/ui/empty-state";
import { PageHeader } from "@/shared/ui/page-header";

export const NotFound = () => (
  <>
    <PageHeader title="Page not found" />
    <div className="card">
      <EmptyState
        title="There is nothing at this address"
        action={<ButtonLink href="/">Go to Live</ButtonLink>}
      >
        It may be mistyped, or from another version of Moonlock.
      </EmptyState>
    </div>
  </>
);
