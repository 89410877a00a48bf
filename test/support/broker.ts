import { createServer, type Server, type Socket } from "node:net";
import { Aedes } from "aedes";

/** A real broker on a fixed port that can go away and come back, with everything that it retained. */
export interface TestBroker {
  readonly url: string;
  readonly port: number;
  /** Calls back for everything that clients publish, in the order in which it reaches the broker. */
  onPublish(listener: (topic: string, payload: string) => void): void;
  up(): Promise<void>;
  down(): Promise<void>;
  close(): Promise<void>;
}

export async function testBroker(): Promise<TestBroker> {
  const aedes = await Aedes.createBroker({ concurrency: 0 });
  const sockets = new Set<Socket>();
  let server: Server | null = null;
  let port = 0;
  const up = async () => {
    const listening = createServer((socket) => {
      sockets.add(socket);
      socket.once("close", () => sockets.delete(socket));
      aedes.handle(socket);
    });
    await new Promise<void>((resolve, reject) => {
      listening.once("error", reject);
      listening.listen(port, "127.0.0.1", resolve);
    });
    server = listening;
    const address = listening.address();
    if (typeof address === "object" && address) port = address.port;
  };
  const down = async () => {
    const closing = server;
    server = null;
    for (const socket of sockets) socket.destroy();
    await new Promise<void>((resolve) => (closing ? closing.close(() => resolve()) : resolve()));
  };
  await up();
  return {
    get url() {
      return `mqtt://127.0.0.1:${port}`;
    },
    get port() {
      return port;
    },
    onPublish(listener) {
      aedes.on("publish", (packet, client) => {
        if (client) listener(packet.topic, packet.payload.toString());
      });
    },
    up,
    down,
    async close() {
      await down();
      await new Promise<void>((resolve) => aedes.close(() => resolve()));
    },
  };
}
