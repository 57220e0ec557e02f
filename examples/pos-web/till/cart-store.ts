/** The cart of this tab. It survives a reload of the page, but not the end of the tab. */
import { type Cart, cartFromText, EMPTY_CART } from "../model/cart.ts";

const KEY = "pos-web.cart";

export interface CartStore {
  readonly cart: Cart;
  change(step: (cart: Cart) => Cart): void;
  clear(): void;
  subscribe(listener: (cart: Cart) => void): () => void;
}

export function createCartStore(): CartStore {
  let cart = cartFromText(sessionStorage.getItem(KEY));
  const listeners = new Set<(cart: Cart) => void>();
  const set = (next: Cart) => {
    cart = next;
    sessionStorage.setItem(KEY, JSON.stringify(cart));
    for (const listener of listeners) listener(cart);
  };
  return {
    get cart() {
      return cart;
    },
    change: (step) => set(step(cart)),
    clear: () => set(EMPTY_CART),
    subscribe(listener) {
      listeners.add(listener);
      listener(cart);
      return () => void listeners.delete(listener);
    },
  };
}
