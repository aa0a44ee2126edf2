import { MoonIcon, SunIcon, SystemIcon } from "@/shared/ui/icons";
import { setTheme, type Theme, useUi } from "@/store/ui-store";

const themes: { theme: Theme; label: string; Icon: typeof SunIcon }[] = [
  { theme: "system", label: "System theme", Icon: SystemIcon },
  { theme: "light", label: "Light theme", Icon: SunIcon },
  { theme: "dark", label: "Dark theme", Icon: MoonIcon },
];

export const ThemeToggle = () => {
  const chosen = useUi((ui) => ui.theme);
  return (
    <fieldset className="flex items-center rounded-full border border-line bg-surface p-0.5">
      <legend className="sr-only">Theme</legend>
      {themes.map(({ theme, label, Icon }) => (
        <label
          key={theme}
          title={label}
          className="grid size-7 cursor-pointer place-items-center rounded-full text-muted hover:text-ink has-checked:bg-line has-checked:text-ink has-focus-visible:outline-2 has-focus-visible:outline-accent"
        >
          <input
            type="radio"
            name="theme"
            className="sr-only"
            checked={chosen === theme}
            onChange={() => setTheme(theme)}
          />
          <Icon className="size-3.5" />
          <span className="sr-only">{label}</span>
        </label>
      ))}
    </fieldset>
  );
};
