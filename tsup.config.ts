import { defineConfig } from "tsup";
import { publicEntries } from "./scripts/entries.mjs";

export default defineConfig({
  entry: Object.fromEntries(publicEntries().map(({ output, source }) => [output, source])),
  format: "esm",
  target: "es2022",
  platform: "neutral",
  splitting: true,
  sourcemap: true,
  clean: true,
  dts: {
    // `SyncClient` is AsyncDisposable: an application whose `lib` is es2022 + dom would not know the name. tsup drops the
    // reference line of a source file, so each declaration file gets it here.
    banner: '/// <reference lib="esnext.disposable" />',
    // tsup sets `baseUrl` for its declaration build, which TypeScript 6 deprecates.
    compilerOptions: { ignoreDeprecations: "6.0" },
  },
});
