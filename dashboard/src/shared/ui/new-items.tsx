import { Button } from "@/shared/ui/button";

type NewItemsProps = { count: number; text: string; onShow: () => void };

/** Offers what came since a list was read: to push it in would move what one reads. */
export const NewItems = ({ count, text, onShow }: NewItemsProps) =>
  count > 0 && (
    <div className="sticky top-6 z-10 flex h-0 items-center justify-center">
      <Button variant="primary" size="small" onClick={onShow} className="rounded-full! px-4! shadow-lg">
        {text}
      </Button>
    </div>
  );
