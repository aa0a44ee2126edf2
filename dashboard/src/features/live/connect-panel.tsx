import { Link } from "wouter";
import { CopyButton } from "@/shared/ui/copy-button";
import { useLive } from "@/store/live-store";

const tools = [
  { label: "Anthropic, Claude Code", variable: "ANTHROPIC_BASE_URL", path: "/anthropic" },
  { label: "OpenAI", variable: "OPENAI_BASE_URL", path: "/openai/v1" },
  { label: "Gemini", variable: "GOOGLE_GEMINI_BASE_URL", path: "/gemini" },
];

/** What to type so that a tool's calls come this way. */
export const ConnectBlocks = () => {
  const proxyUrl = useLive((live) => live.state.proxyUrl);
  return (
    <>
      <ul className="grid gap-3">
        {tools.map(({ label, variable, path }) => {
          const url = `${proxyUrl}${path}`;
          const assignment = `export ${variable}=`;
          return (
            <li key={variable} className="min-w-0">
              <p className="mb-1 text-xs font-medium text-muted">{label}</p>
              <div className="flex items-center gap-2 rounded-lg bg-sunken py-1 pr-1 pl-3">
                <code className="min-w-0 flex-1 py-1 font-mono text-xs [overflow-wrap:anywhere]">
                  {assignment}
                  <wbr />
                  {url}
                </code>
                <CopyButton text={assignment + url} label={variable} />
              </div>
            </li>
          );
        })}
      </ul>
      <p className="mt-3 text-sm">
        <Link href="/connect" className="text-muted underline underline-offset-2 hover:text-ink">
          All tools, and how to undo it
        </Link>
      </p>
    </>
  );
};

/** The same, out of the way once calls come. */
export const ConnectPanel = () => (
  <details className="card min-w-0 px-5 open:pb-5">
    <summary className="cursor-pointer rounded py-4 text-sm font-semibold">Connect another tool</summary>
    <ConnectBlocks />
  </details>
);
