import { useEffect, useState } from "react";
import { AlertRulesPanel } from "@/features/settings/alert-rules";
import { BudgetsPanel } from "@/features/settings/budgets";
import { DataPanel } from "@/features/settings/data";
import { EstimatesPanel } from "@/features/settings/estimates";
import { GeneralPanel } from "@/features/settings/general";
import { NotificationsPanel } from "@/features/settings/notifications";
import { PricesPanel } from "@/features/settings/prices";
import { SettingsPanels } from "@/features/settings/settings-panels";
import { PageHeader } from "@/shared/ui/page-header";

const sections = [
  { id: "general", label: "General", Content: GeneralPanel },
  { id: "budgets", label: "Budgets", Content: BudgetsPanel },
  { id: "alert-rules", label: "Alert rules", Content: AlertRulesPanel },
  { id: "notifications", label: "Notifications", Content: NotificationsPanel },
  { id: "prices", label: "Your own prices", Content: PricesPanel },
  { id: "data", label: "Your data", Content: DataPanel },
  { id: "estimates", label: "Estimates", Content: EstimatesPanel },
  { id: "configuration", label: "Configuration", Content: SettingsPanels },
] as const;

/** The section that is being read: the one that reaches into the upper part of the window. */
const useSectionInView = (): string => {
  const [current, setCurrent] = useState<string>(sections[0].id);
  useEffect(() => {
    const observer = new IntersectionObserver(
      (entries) => {
        const seen = entries.find(({ isIntersecting }) => isIntersecting);
        if (seen) setCurrent(seen.target.id);
      },
      { rootMargin: "-10% 0px -80% 0px" },
    );
    for (const { id } of sections) {
      const section = document.getElementById(id);
      if (section) observer.observe(section);
    }
    return () => observer.disconnect();
  }, []);
  return current;
};

/** What can be set, what it is set to, and who said so. */
export const SettingsPage = () => {
  const current = useSectionInView();
  // The page comes after its address: the browser itself found nothing to scroll to.
  useEffect(() => {
    const frame = requestAnimationFrame(() =>
      document.getElementById(window.location.hash.slice(1))?.scrollIntoView(),
    );
    return () => cancelAnimationFrame(frame);
  }, []);
  return (
    <>
      <PageHeader title="Settings">
        What is watched, what is kept, and how this Moonlock is set up.
      </PageHeader>
      <div className="grid items-start gap-4 lg:gap-5 xl:grid-cols-[11rem_minmax(0,1fr)]">
        <nav aria-label="Sections of this page" className="card top-4 p-2 xl:sticky">
          <ul className="flex flex-wrap gap-1 xl:grid xl:gap-0.5">
            {sections.map(({ id, label }) => (
              <li key={id}>
                <a
                  href={`#${id}`}
                  aria-current={id === current ? "location" : undefined}
                  className="flex h-9 items-center rounded-lg px-2.5 text-sm text-muted hover:bg-sunken hover:text-ink xl:aria-[current=location]:bg-sunken xl:aria-[current=location]:font-medium xl:aria-[current=location]:text-ink"
                >
                  {label}
                </a>
              </li>
            ))}
          </ul>
        </nav>
        <div className="grid min-w-0 gap-4 lg:gap-5">
          {sections.map(({ id, Content }) => (
            <div key={id} id={id} className="min-w-0 scroll-mt-4">
              <Content />
            </div>
          ))}
        </div>
      </div>
    </>
  );
};
