import { CopyButton } from "@/shared/ui/copy-button";

/** A text to copy: for the configuration file, or for the shell. */
export const Example = ({ text, label }: { text: string; label: string }) => (
  <div className="relative mt-3 rounded-xl bg-sunken">
    <div className="absolute top-1.5 right-1.5">
      <CopyButton text={text} label={label} />
    </div>
    <pre className="px-4 pt-11 pb-4 font-mono text-xs leading-5 whitespace-pre-wrap [overflow-wrap:anywhere] sm:pt-4 sm:pr-24">
      <code>{text}</code>
    </pre>
  </div>
);
