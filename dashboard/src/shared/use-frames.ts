/**
 * Drawing what moves on its own, at no cost while nobody looks: nothing runs in a hidden page.
 */
import { useEffect, useLayoutEffect, useRef, useSyncExternalStore } from "react";
import { useMedia } from "@/shared/use-media";

export const useReducedMotion = (): boolean => useMedia("(prefers-reduced-motion: reduce)");

const visible = (): boolean => document.visibilityState === "visible";

/**
 * Calls `draw` with `performance.now()` after every render and, while `moving`, on every frame (with reduced
 * motion: every second). `draw` writes to the page itself, so that a frame costs no render.
 */
export const useFrames = (moving: boolean, draw: (now: number) => void): void => {
  const calm = useReducedMotion();
  const latest = useRef(draw);
  useLayoutEffect(() => {
    latest.current = draw;
    draw(performance.now());
  });
  useEffect(() => {
    if (!moving) return;
    let cancel: (() => void) | undefined;
    const next = (): void => {
      if (calm) {
        const timer = setTimeout(step, 1_000);
        cancel = () => clearTimeout(timer);
      } else {
        const frame = requestAnimationFrame(step);
        cancel = () => cancelAnimationFrame(frame);
      }
    };
    const step = (): void => {
      latest.current(performance.now());
      next();
    };
    const follow = (): void => {
      cancel?.();
      if (visible()) step();
    };
    follow();
    document.addEventListener("visibilitychange", follow);
    return () => {
      document.removeEventListener("visibilitychange", follow);
      cancel?.();
    };
  }, [moving, calm]);
};

const listeners = new Set<() => void>();
let second = performance.now();
let timer: ReturnType<typeof setInterval> | undefined;

const tick = (): void => {
  second = performance.now();
  for (const listener of listeners) listener();
};

const follow = (): void => {
  clearInterval(timer);
  timer = undefined;
  if (listeners.size === 0 || !visible()) return;
  tick();
  timer = setInterval(tick, 1_000);
};

document.addEventListener("visibilitychange", follow);

const everySecond = (listener: () => void): (() => void) => {
  listeners.add(listener);
  if (timer === undefined) follow();
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) follow();
  };
};

const never = (): (() => void) => () => {};

/** `performance.now()`, once a second while `moving`; for what changes too slowly to be drawn every frame. */
export const useSeconds = (moving: boolean): number =>
  useSyncExternalStore(moving ? everySecond : never, () => second);
