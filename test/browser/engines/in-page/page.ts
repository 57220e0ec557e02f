/** The page of the torture, where no Playwright lends it functions: what it has to say, it posts. */
import "../../../torture/browser/page.ts";

window.saved = async (sale) => void (await fetch(`/told/saved/${sale}`, { method: "POST" }));
window.trouble = async (event) => void (await fetch(`/told/trouble/${event}`, { method: "POST" }));

declare global {
  interface Window {
    /** Sells without a pause, whatever is refused: that is told, and sold again. */
    sellOnWhatever_: () => Promise<never>;
  }
}
window.sellOnWhatever_ = async () => {
  for (;;) {
    try {
      void window.saved(await window.page.sell()).catch(() => {});
    } catch (error) {
      await window.trouble((error as { code: string }).code).catch(() => {});
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
};
