/** The till: the bar at the top, the page below it. */
import { pathOf, type Route, routeOf } from "../model/route.ts";
import { type CartStore, createCartStore } from "../till/cart-store.ts";
import type { Till } from "../till/client.ts";
import { readShopFacts, type ShopFacts } from "../till/shop-facts.ts";
import type { StoredSession } from "../till/stored.ts";
import type { Workplace } from "./app.ts";
import { banners } from "./banners.ts";
import { fill, h, setAttribute, setText, type View } from "./dom.ts";
import { type IconName, icon } from "./icons.ts";
import { personMenu } from "./person-menu.ts";
import { queuePage } from "./queue-page.ts";
import { watchArrivals } from "./recently-sent.ts";
import { salesPage } from "./sales-page.ts";
import { sellPage } from "./sell-page.ts";
import { statusChip } from "./status-chip.ts";

/** What every page of the till uses. */
export interface Counter {
  readonly till: Till;
  readonly session: StoredSession;
  readonly shop: ShopFacts;
  readonly cart: CartStore;
  go(route: Route): void;
}

const PAGES: readonly { readonly route: Route; readonly label: string; readonly icon: IconName }[] = [
  { route: { page: "sell" }, label: "Sell", icon: "cart" },
  { route: { page: "sales", saleId: undefined }, label: "Sales", icon: "receipt" },
  { route: { page: "queue" }, label: "Sync", icon: "sync" },
];

function shell(place: Workplace, shop: ShopFacts): View {
  const cart = createCartStore();
  const main = h("main", { class: "page", id: "main", tabindex: -1 });
  let page: View | undefined;
  let shown: Route["page"] | undefined;

  const counter: Counter = {
    ...place,
    shop,
    cart,
    go(route) {
      if (location.pathname !== pathOf(route)) history.pushState(null, "", pathOf(route));
      render();
    },
  };
  const links = PAGES.map(({ route, label, icon: name }) => {
    const link = h(
      "a",
      {
        class: "nav-link",
        "aria-label": label,
        href: pathOf(route),
        onclick: (event: MouseEvent) => follow(event, route),
      },
      icon(name),
      h("span", {}, label),
    );
    return { page: route.page, link };
  });
  function follow(event: MouseEvent, route: Route): void {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return; // the browser opens a new tab
    event.preventDefault();
    counter.go(route);
  }

  /** Without a change of the address, which the till reads its route from. */
  function skipTo(id: string): (event: MouseEvent) => void {
    return (event) => {
      event.preventDefault();
      document.getElementById(id)?.focus();
    };
  }

  const toCart = h("a", { class: "skip", href: "#cart", onclick: skipTo("cart") }, "Skip to the cart");
  const chip = statusChip(counter);
  const notices = banners(counter);
  const person = personMenu(counter);
  const title = h("span", { class: "shop-name" });
  setText(title, shop.name);

  function render(): void {
    const route = routeOf(location.pathname);
    page?.close();
    page = pageOf(counter, route);
    main.className = `page page-${route.page}`;
    fill(main, page.element);
    toCart.hidden = route.page !== "sell";
    for (const { page: name, link } of links)
      setAttribute(link, "aria-current", name === route.page ? "page" : undefined);
    document.title = `${PAGES.find((entry) => entry.route.page === route.page)?.label} · ${shop.name}`;
    // A screen reader announces every page after the first.
    // What had the focus on the page before is gone, so the keyboard goes on from here.
    if (shown !== undefined && (shown !== route.page || document.activeElement === document.body)) {
      main.focus({ preventScroll: true });
    }
    shown = route.page;
  }
  addEventListener("popstate", render);
  const element = h(
    "div",
    { class: "till", "data-screen": "till" },
    h("a", { class: "skip", href: "#main", onclick: skipTo("main") }, "Skip to the page"),
    toCart,
    h(
      "header",
      { class: "topbar" },
      h("img", { class: "brand", src: "/icon.svg", alt: "", width: 36, height: 36 }),
      title,
      h("nav", { class: "nav", "aria-label": "Pages" }, ...links.map(({ link }) => link)),
      chip.element,
      person.element,
    ),
    notices.element,
    main,
  );
  render();
  return {
    element,
    close() {
      removeEventListener("popstate", render);
      for (const view of [page, chip, notices, person]) view?.close();
    },
  };
}

function pageOf(counter: Counter, route: Route): View {
  if (route.page === "sales") return salesPage(counter, route.saleId);
  return route.page === "queue" ? queuePage(counter) : sellPage(counter);
}

export async function openShell(place: Workplace): Promise<View> {
  const shop = await readShopFacts(place.till, place.session.tenant);
  watchArrivals(place.till, shop.currency);
  return shell(place, shop);
}
