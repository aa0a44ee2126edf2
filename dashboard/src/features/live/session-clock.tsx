import { useRef } from "react";
import { clock } from "@/shared/format";
import { elapsedAt } from "@/shared/session/elapsed";
import { useFrames, useReducedMotion } from "@/shared/use-frames";
import type { LiveSession } from "@/store/live-reducer";

type SessionClockProps = { session: LiveSession };

export const SessionClock = ({ session }: SessionClockProps) => {
  const main = useRef<HTMLSpanElement>(null);
  const fraction = useRef<HTMLSpanElement>(null);
  const running = session.view.status === "active";
  const calm = useReducedMotion();

  useFrames(running, (now) => {
    const text = clock(elapsedAt(session, now));
    if (main.current && main.current.textContent !== text.main) main.current.textContent = text.main;
    if (fraction.current) fraction.current.textContent = calm ? "" : text.fraction;
  });

  return (
    <div
      role="timer"
      aria-label="Time in this session"
      data-testid="clock"
      // Of a size of its own: sixty times a second nothing but the digits is laid out.
      className={`mt-2 h-[1.05em] overflow-hidden whitespace-nowrap [contain:strict] text-[clamp(3rem,13vw,6.25rem)] leading-[1.05] font-light tracking-[-0.03em] ${running ? "" : "text-muted"}`}
    >
      <span ref={main} />
      <span ref={fraction} className="text-[0.55em] text-muted" />
    </div>
  );
};
