import { Link } from "wouter";
import { PageHeader } from "@/shared/ui/page-header";

export const NotFound = () => (
  <>
    <PageHeader title="There is no such page" />
    <p className="text-sm text-muted">
      The address may be mistyped. Go to{" "}
      <Link href="/" className="font-medium text-accent underline-offset-2 hover:underline">
        what is live now
      </Link>
      .
    </p>
  </>
);
