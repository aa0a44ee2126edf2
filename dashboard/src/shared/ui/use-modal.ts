import { type RefObject, useLayoutEffect, useRef } from "react";

type Modal = { ref: RefObject<HTMLDialogElement | null>; onClose: () => void };

/**
 * The browser's own modal dialog for as long as it is drawn: Escape closes it; the focus stays inside, and goes back
 * where it came from.
 */
export const useModal = (onClose: () => void): Modal => {
  const ref = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => {
    const element = ref.current;
    element?.showModal();
    return () => element?.close();
  }, []);
  // Only what the user closed: development mounts everything twice.
  return { ref, onClose: () => ref.current?.open || onClose() };
};
