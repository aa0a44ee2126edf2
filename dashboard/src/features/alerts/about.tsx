import { Link } from "wouter";
import type { Scope } from "@/api/types.gen";
import { scopeText } from "@/features/alerts/alert-texts";
import { useLive } from "@/store/live-store";

/** What an alert is about; a session can be opened. */
export const About = ({ scope }: { scope: Scope }) => {
  const sessions = useLive((live) => live.state.sessions);
  const nameOf = (id: string) => sessions.find(({ view }) => view.id === id)?.view.name;
  const { text, session } = scopeText(scope, nameOf);
  if (session === null) return text;
  return (
    <Link
      href={`/sessions/${session}`}
      className="underline decoration-line underline-offset-2 hover:text-ink"
    >
      {text}
    </Link>
  );
};
