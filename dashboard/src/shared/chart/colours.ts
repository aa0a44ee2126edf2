import type { Colour } from "@/shared/chart/model";

export type Palette = (name: Colour | "line" | "surface", alpha?: number) => string;

/** The theme's colours as they are now: a canvas knows no custom properties, and no `light-dark()`. */
export const paletteOf = (element: HTMLElement): Palette => {
  const probe = document.createElement("span");
  probe.hidden = true;
  // Where the system forces its few colours on a page, what stands for something keeps its own.
  probe.style.forcedColorAdjust = "none";
  element.append(probe);
  const known = new Map<string, string>();
  const resolve = (name: string): string => {
    const found = known.get(name);
    if (found) return found;
    // What is drawn is an area, and looks as the legend's square does.
    probe.style.color = `var(--color-${name === "warn" ? "warn-fill" : name})`;
    const colour = getComputedStyle(probe).color;
    known.set(name, colour);
    return colour;
  };
  return (name, alpha = 1) => {
    element.append(probe);
    const colour = resolve(name);
    probe.remove();
    return alpha === 1
      ? colour
      : colour.replace(/^rgba?\(([^)]*)\)$/, (_, parts: string) => {
          const [r, g, b] = parts.split(/[,\s/]+/);
          return `rgba(${r}, ${g}, ${b}, ${alpha})`;
        });
  };
};

/** Tells when the colours change: by the user's choice, with the system, or because the page is printed. */
export const onThemeChange = (changed: () => void): (() => void) => {
  const media = ["(prefers-color-scheme: dark)", "print"].map((query) => window.matchMedia(query));
  const observer = new MutationObserver(changed);
  observer.observe(document.documentElement, { attributeFilter: ["data-theme"] });
  for (const query of media) query.addEventListener("change", changed);
  return () => {
    observer.disconnect();
    for (const query of media) query.removeEventListener("change", changed);
  };
};
