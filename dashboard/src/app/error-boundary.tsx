import { Component, type ReactNode } from "react";
import { Button } from "@/shared/ui/button";
import { EmptyState } from "@/shared/ui/empty-state";

type Props = { children: ReactNode };
type State = { error: Error | null };

/** Shows what broke instead of an empty page; the navigation around it still works. */
export class ErrorBoundary extends Component<Props, State> {
  override state: State = { error: null };

  static getDerivedStateFromError(error: unknown): State {
    return { error: error instanceof Error ? error : new Error(String(error)) };
  }

  override render(): ReactNode {
    const { error } = this.state;
    if (!error) return this.props.children;
    return (
      <div role="alert" className="pt-10">
        <title>Something broke — Moonlock</title>
        <EmptyState
          title="This page broke"
          action={
            <Button variant="primary" onClick={() => window.location.reload()}>
              Load it again
            </Button>
          }
        >
          Nothing that was counted is lost: the numbers are kept by Moonlock, not by this page.
          <code className="mt-3 block font-mono text-xs [overflow-wrap:anywhere]">{error.message}</code>
        </EmptyState>
      </div>
    );
  }
}
