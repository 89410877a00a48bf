import { createServer, type Server, type Socket } from "node:net";
import { duplexPair } from "node:stream";
import { Aedes, type AuthenticateError, type Client, type PublishPacket } from "aedes";
import { type Rejection, skadiError } from "../../shared/errors.ts";
import { MQTT_USERNAME, sameSecret } from "../secrets.ts";
import { refusePublish } from "./access.ts";
import { AGGREGATOR_CLIENT_ID } from "./link.ts";

export interface EmbeddedBroker {
  /** A connection to the broker inside this process. */
  connect(): ReturnType<typeof duplexPair>[0];
  /** Opens the TCP port; resolves with the real port. */
  listen(): Promise<number>;
  /** Closes the port and every connection that came through it; in-process ones stay. */
  closePort(): Promise<void>;
  close(): Promise<void>;
}

interface BrokerContext {
  host: string;
  port: number;
  token: string;
  onRefused: (topic: string, rejection: Rejection, client_id: string | null) => void;
}

/** The MQTT broker inside the aggregator. Everyone may read and publish up; only the token's holder publishes down. */
export async function embeddedBroker(context: BrokerContext): Promise<EmbeddedBroker> {
  const trusted = new WeakSet<Client>();
  const retained_topics = new Set<string>();
  const aedes = await Aedes.createBroker({
    // The default (100) queues deliveries recursively and dies of a stack overflow under a QoS 0 flood;
    // 0 means no limit, which survives the same load.
    concurrency: 0,
    // The session of a client that went away would collect its messages in memory, without a limit and for ever.
    preConnect(_client, packet, done) {
      packet.clean = true;
      done(null, true);
    },
    authenticate(client, username, password, done) {
      // The same client id as ours would push us off our own broker.
      const impostor = client.id.startsWith(AGGREGATOR_CLIENT_ID) && username !== MQTT_USERNAME;
      if (impostor) return done(badPassword(), false);
      if (username !== MQTT_USERNAME) return done(null, true);
      if (!password || !sameSecret(password, context.token)) return done(badPassword(), false);
      trusted.add(client);
      done(null, true);
    },
    authorizePublish(client, packet, done) {
      // Without a client it is the broker's own.
      if (client) {
        const { topic, retain: retained } = packet;
        const publish = { topic, bytes: packet.payload.length, retained, trusted: trusted.has(client) };
        const refusal = refusePublish({ ...publish, retained_topics });
        if (refusal) {
          context.onRefused(topic, refusal, client.id);
          divert(packet);
        } else if (retained && publish.bytes === 0) retained_topics.delete(topic);
        else if (retained && !publish.trusted) retained_topics.add(topic);
      }
      done(null);
    },
  });
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    aedes.handle(socket);
  });
  return {
    connect() {
      const [ours, theirs] = duplexPair();
      // Unlike a socket's, the two ends of a pair do not notice each other's destruction.
      theirs.once("close", () => ours.destroy());
      ours.once("close", () => theirs.destroy());
      aedes.handle(theirs);
      return ours;
    },
    listen: () => listen(server, context.host, context.port),
    async closePort() {
      if (!server.listening) return;
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
    close: () => new Promise((resolve) => aedes.close(() => resolve())),
  };
}

/**
 * MQTT 3.1.1 cannot say no to a publish: it knows a positive acknowledgement or a closed connection [MQTT-3.3.5-2],
 * and a closed one makes a QoS 1 client reconnect and try again for ever. So the message is acknowledged and
 * emptied onto a topic that no subscription matches.
 */
function divert(packet: PublishPacket): void {
  packet.topic = "$SYS/refused";
  packet.payload = Buffer.alloc(0);
  packet.retain = false;
}

const BAD_USERNAME_OR_PASSWORD = 4;

function badPassword(): AuthenticateError {
  return Object.assign(new Error("wrong token"), { returnCode: BAD_USERNAME_OR_PASSWORD });
}

function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, rejectListen) => {
    server.once("error", (error) => {
      const detail = {
        field: "broker.port",
        value: port,
        expected: `a free port on ${host} (${error.message})`,
      };
      rejectListen(skadiError("SKADI_BAD_CONFIG", detail));
    });
    server.listen(port, host, () => {
      const address = server.address();
      resolve(typeof address === "object" && address ? address.port : port);
    });
  });
}
