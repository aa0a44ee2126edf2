import { useEffect, useRef } from "react";
import { onThemeChange } from "@/shared/chart/colours";
import type { Drawing } from "@/shared/chart/draw";
import type { ChartModel } from "@/shared/chart/model";
import { patiently } from "@/store/code";

/** Draws the model when it changes and the page is seen. What it says stands beside it in words. */
export const ChartCanvas = ({ model }: { model: ChartModel }) => {
  const canvas = useRef<HTMLCanvasElement>(null);
  const drawing = useRef<Drawing>(undefined);
  const latest = useRef(model);

  useEffect(() => {
    let wanted = true;
    void patiently(() => import("@/shared/chart/draw")).then(({ draw }) => {
      if (wanted && canvas.current) drawing.current = draw(canvas.current, latest.current);
    });
    const again = (): void => {
      if (document.visibilityState !== "visible") return;
      drawing.current?.fit();
      drawing.current?.show(latest.current);
    };
    const stopTheme = onThemeChange(again);
    document.addEventListener("visibilitychange", again);
    return () => {
      wanted = false;
      stopTheme();
      document.removeEventListener("visibilitychange", again);
      drawing.current?.destroy();
      drawing.current = undefined;
    };
  }, []);

  useEffect(() => {
    latest.current = model;
    if (document.visibilityState === "visible") drawing.current?.show(model);
  }, [model]);

  // Out of the flow: its own width, as it was drawn last, must not hold its frame open. Paper has another width than
  // the screen, and a drawing keeps its proportions on it.
  return (
    <canvas
      ref={canvas}
      className="absolute inset-0 print:size-full! print:object-contain print:object-left"
    />
  );
};
