/** The till in the browser: starts the app, and keeps the page on the device. */
import * as z from "zod";
import { placeAnnouncements } from "./view/announce.ts";
import { fill } from "./view/dom.ts";
import { faultScreen } from "./view/fault-screen.ts";
import { keepPage } from "./view/version.ts";

// Zod compiles its checks with `new Function`, and tries whether it may as soon as the first schema is made. The page's
// policy forbids that, and reports the attempt. So the modules that make schemas are imported after this.
z.config({ jitless: true });

const root = document.getElementById("app");
if (root === null) throw new Error("The page has no #app");
placeAnnouncements();

if (isSecureContext) {
  const { startApp } = await import("./view/app.ts");
  void startApp(root);
  keepPage().catch(() => {
    // Private windows of some browsers have no service worker. The till can sell, but needs the network to load again.
  });
} else {
  const advice = "A till keeps sales, so the browser allows it only over https, or on this computer itself.";
  fill(root, faultScreen({ title: "This address is not secure", advice }).element);
}
