import { ConnectBlocks } from "@/features/live/connect-panel";
import { Panel } from "@/shared/ui/panel";
import { useLive } from "@/store/live-store";

/**
 * What to do until a session has its first call. It stands where the charts will be and is as high as they are: what is
 * below stays where it is when they come.
 */
export const FirstCall = ({ session }: { session: string }) => {
  const runs = useLive(({ state: { calls } }) => calls.some(({ sessionId }) => sessionId === session));
  return (
    <Panel title="Connect a tool" className="min-h-98">
      <div className="max-w-2xl px-5 pb-5">
        <Waiting text={runs ? "The first call is running…" : "Waiting for the first call…"} />
        <ConnectBlocks />
      </div>
    </Panel>
  );
};

/** Says what is waited for, and how it comes. */
export const Waiting = ({ text }: { text: string }) => (
  <>
    <p className="mb-1 flex items-center gap-2.5 text-sm">
      <span className="size-2 animate-breathe rounded-full bg-accent" aria-hidden="true" />
      {text}
    </p>
    <p className="mb-4 text-sm text-muted">
      Point your tool at Moonlock; its calls appear here as they happen.
    </p>
  </>
);
