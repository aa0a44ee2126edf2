import { type ReactNode, useId, useLayoutEffect, useRef } from "react";

const places = { middle: "m-auto", top: "mx-auto mt-[10dvh] mb-auto" } as const;

type DialogProps = {
  title: string;
  onClose: () => void;
  children: ReactNode;
  placement?: keyof typeof places;
};

/** The browser's own modal dialog: Escape closes it; the focus stays inside, and goes back where it came from. */
export const Dialog = ({ title, onClose, children, placement = "middle" }: DialogProps) => {
  const id = useId();
  const dialog = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => {
    const element = dialog.current;
    element?.showModal();
    return () => element?.close();
  }, []);
  return (
    <dialog
      ref={dialog}
      aria-labelledby={id}
      // Only what the user closed: development mounts everything twice.
      onClose={() => dialog.current?.open || onClose()}
      className={`card max-h-[calc(100dvh-2rem)] w-[calc(100vw-2rem)] max-w-lg overflow-y-auto p-5 text-ink shadow-xl backdrop:bg-black/50 ${places[placement]}`}
    >
      <h2 id={id} className="mb-4 text-base font-semibold">
        {title}
      </h2>
      {children}
    </dialog>
  );
};
