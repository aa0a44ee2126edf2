/**
 * Drawing what moves on its own, at no cost while nobody looks: nothing runs in a hidden page.
 */
import { useEffect, useLayoutEffect, useRef, useSyncExternalStore } from "react";
import { useMedia } from "@/shared/use-media";

const REDUCED = "(prefers-reduced-motion: reduce)";

export const useReducedMotion = (): boolean => useMedia(REDUCED);

const visible = (): boolean => document.visibilityState === "visible";

const drawings = new Set<() => void>();
let cancelFrame: (() => void) | undefined;

/** Digits that run are as alive at thirty frames a second as at the screen's sixty or more, for half of the work. */
const BETWEEN_FRAMES_MS = 25;
const calm = window.matchMedia(REDUCED);

/** One loop for all that moves. With reduced motion it goes on once a second. */
const nextFrame = (): void => {
  const wait = setTimeout(
    () => {
      const frame = requestAnimationFrame(drawAll);
      cancelFrame = () => cancelAnimationFrame(frame);
    },
    calm.matches ? 1_000 : BETWEEN_FRAMES_MS,
  );
  cancelFrame = () => clearTimeout(wait);
};

const drawAll = (): void => {
  for (const drawing of drawings) drawing();
  nextFrame();
};

const followFrames = (): void => {
  cancelFrame?.();
  cancelFrame = undefined;
  if (drawings.size > 0 && visible()) drawAll();
};

const onFrame = (drawing: () => void): (() => void) => {
  drawings.add(drawing);
  if (cancelFrame === undefined) followFrames();
  return () => {
    drawings.delete(drawing);
    if (drawings.size === 0) followFrames();
  };
};

/**
 * Calls `draw` with `performance.now()` after every render and, while `moving`, some thirty times a second (with reduced
 * motion: every second). `draw` writes to the page itself, so that a frame costs no render.
 */
export const useFrames = (moving: boolean, draw: (now: number) => void): void => {
  const latest = useRef(draw);
  useLayoutEffect(() => {
    latest.current = draw;
    draw(performance.now());
  });
  useEffect(() => (moving ? onFrame(() => latest.current(performance.now())) : undefined), [moving]);
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
document.addEventListener("visibilitychange", followFrames);

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
