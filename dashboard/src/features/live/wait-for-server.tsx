import { MoonMark } from "@/shared/ui/icons";
import { useLive } from "@/store/live-store";

/** Before the first state has come. */
export const WaitForServer = () => {
  const offline = useLive((live) => live.connection.kind === "offline");
  return (
    <div className="grid min-h-[60dvh] place-content-center justify-items-center gap-4 text-center">
      <title>Moonlock</title>
      <MoonMark className={`size-10 ${offline ? "opacity-40" : "animate-breathe"}`} />
      <h1 className="text-lg font-semibold">
        {offline ? "Moonlock does not answer" : "Connecting to Moonlock…"}
      </h1>
      {offline && (
        <p className="max-w-sm text-sm text-muted">
          Is it still running? Start it with <code className="font-mono text-ink">moonlock</code>; this page
          connects by itself.
        </p>
      )}
    </div>
  );
};
