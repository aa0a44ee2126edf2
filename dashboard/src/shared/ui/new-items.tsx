import { Button } from "@/shared/ui/button";

type NewItemsProps = { count: number; text: string; onShow: () => void };

/** Offers what came since a list was read: to push it in would move what one reads. */
export const NewItems = ({ count, text, onShow }: NewItemsProps) =>
  count > 0 && (
    <div className="sticky top-2 z-10 flex h-0 justify-center">
      <Button
        variant="primary"
        onClick={onShow}
        className="h-8! translate-y-2 rounded-full! px-4 text-xs shadow-lg"
      >
        {text}
      </Button>
    </div>
  );
