import { type ReactNode, useId } from "react";
import { CloseIcon } from "@/shared/ui/icons";
import { useModal } from "@/shared/ui/use-modal";

type DrawerProps = { title: ReactNode; onClose: () => void; children: ReactNode };

/** A modal dialog at the page's side; on a phone it comes from below. Escape and a click beside it close it. */
export const Drawer = ({ title, onClose, children }: DrawerProps) => {
  const id = useId();
  const modal = useModal(onClose);
  return (
    <dialog
      {...modal}
      aria-labelledby={id}
      onPointerDown={({ target }) => target === modal.ref.current && modal.ref.current?.close()}
      className="mt-auto mb-0 max-h-[88dvh] w-full max-w-none overflow-y-auto overscroll-contain rounded-t-card border-line bg-surface text-ink shadow-2xl backdrop:bg-black/40 sm:mt-0 sm:mr-0 sm:ml-auto sm:h-dvh sm:max-h-none sm:max-w-lg sm:rounded-none sm:border-l"
    >
      <div className="p-5">
        <header className="mb-4 flex items-start justify-between gap-3">
          <h2 id={id} className="min-w-0 text-base font-semibold break-words">
            {title}
          </h2>
          <button
            type="button"
            onClick={() => modal.ref.current?.close()}
            aria-label="Close"
            className="-mt-1 -mr-1 grid size-8 shrink-0 place-items-center rounded-full text-muted hover:bg-sunken hover:text-ink"
          >
            <CloseIcon />
          </button>
        </header>
        {children}
      </div>
    </dialog>
  );
};
