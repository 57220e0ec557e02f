/** The till's own icons: strokes on a grid of 24. They are decoration: what they mean is also said in words. */

const PATHS = {
  cart: "M3 4h2l2.4 11h10.2L20 7H6.2M9 20h.01M17 20h.01",
  receipt: "M6 3h12v18l-3-2-3 2-3-2-3 2zM9 8h6M9 12h6",
  sync: "M4 12a8 8 0 0 1 13.7-5.6L20 8.5M20 4v4.5h-4.5M20 12a8 8 0 0 1-13.7 5.6L4 15.5M4 20v-4.5h4.5",
  search: "M11 4a7 7 0 1 0 0 14 7 7 0 0 0 0-14zM20.5 20.5 16 16",
  barcode: "M4 6v12M7 6v12M10 6v9M13 6v12M16 6v9M20 6v12",
  plus: "M12 5v14M5 12h14",
  minus: "M5 12h14",
  trash: "M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13M10 11v5M14 11v5",
  close: "M6 6l12 12M18 6 6 18",
  check: "M5 12.5 10 17.5 19.5 7",
  cash: "M3 7h18v10H3zM12 9.5a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5zM6 12h.01M18 12h.01",
  card: "M3 6h18v12H3zM3 10h18M6.5 14.5H10",
  print: "M7 8V3h10v5M7 17H4v-8h16v8h-3M7 14h10v7H7z",
  person: "M12 4a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM4.5 20.5c.8-3.6 3.8-5.5 7.5-5.5s6.7 1.9 7.5 5.5",
  alert: "M12 4 2.8 20h18.4zM12 10v4.5M12 17.2h.01",
  offline: "M3 3l18 18M8.5 12.8a6 6 0 0 1 2-1.2M5 9.3a11 11 0 0 1 3.3-2M13.5 6.5A11 11 0 0 1 19 9.3M12 18h.01",
  back: "M19 12H5M11 6l-6 6 6 6",
  refund: "M9 7 4 12l5 5M4 12h10a6 6 0 0 1 6 6v1",
  box: "M4 8l8-4 8 4v8l-8 4-8-4zM4 8l8 4 8-4M12 12v8",
} as const;

export type IconName = keyof typeof PATHS;

const SVG = "http://www.w3.org/2000/svg";

export function icon(name: IconName): SVGSVGElement {
  const svg = document.createElementNS(SVG, "svg");
  for (const [key, value] of [
    ["viewBox", "0 0 24 24"],
    ["class", "icon"],
    ["aria-hidden", "true"],
    ["focusable", "false"],
  ] as const) {
    svg.setAttribute(key, value);
  }
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}
