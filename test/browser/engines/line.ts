/** A line between a browser and a server that can be cut, where the browser itself can't be told to be offline. */
import { connect, createServer, type Socket } from "node:net";

export interface Line extends AsyncDisposable {
  readonly url: string;
  /** While it is not, every connection is cut off, and none is made. */
  isUp: boolean;
}

export async function openLine(to: string): Promise<Line> {
  const { hostname, port } = new URL(to);
  const sockets = new Set<Socket>();
  let isUp = true;
  const server = createServer((near) => {
    if (!isUp) return void near.destroy();
    const far = connect(Number(port), hostname);
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one);
      one.pipe(other);
      // The end of one, however it comes, is the end of the other.
      one.on("error", () => other.destroy());
      one.on("close", () => {
        sockets.delete(one);
        other.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: `http://127.0.0.1:${typeof address === "object" ? address?.port : address}`,
    get isUp() {
      return isUp;
    },
    set isUp(wanted) {
      isUp = wanted;
      if (!isUp) cut();
    },
    async [Symbol.asyncDispose]() {
      cut();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
