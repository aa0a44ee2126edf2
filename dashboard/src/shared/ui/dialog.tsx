import { type ReactNode, useId } from "react";
import { useModal } from "@/shared/ui/use-modal";

const places = { middle: "m-auto", top: "mx-auto mt-[10dvh] mb-auto" } as const;

type DialogProps = {
  title: string;
  onClose: () => void;
  children: ReactNode;
  placement?: keyof typeof places;
};

/** A modal dialog in the middle of the page, or near its top. */
export const Dialog = ({ title, onClose, children, placement = "middle" }: DialogProps) => {
  const id = useId();
  const modal = useModal(onClose);
  return (
    <dialog
      {...modal}
      aria-labelledby={id}
      className={`card max-h-[calc(100dvh-2rem)] w-[calc(100vw-2rem)] max-w-lg overflow-y-auto p-5 text-ink shadow-xl backdrop:bg-black/50 ${places[placement]}`}
    >
      <h2 id={id} className="mb-4 text-base font-semibold">
        {title}
      </h2>
      {children}
    </dialog>
  );
};
