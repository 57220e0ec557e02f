/** Which page an address shows. `/sync` belongs to the server. */

export type Route =
  | { readonly page: "sell" }
  | { readonly page: "sales"; readonly saleId: string | undefined }
  | { readonly page: "queue" };

export function routeOf(path: string): Route {
  const [page, id] = path.split("/").filter(Boolean);
  if (page === "sales") return { page, saleId: id === undefined ? undefined : decodeURIComponent(id) };
  return page === "queue" ? { page } : { page: "sell" };
}

export function pathOf(route: Route): string {
  if (route.page === "sell") return "/";
  if (route.page === "sales" && route.saleId !== undefined) return `/sales/${encodeURIComponent(route.saleId)}`;
  return `/${route.page}`;
}
