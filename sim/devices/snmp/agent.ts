import { createHash } from "node:crypto";
import dgram from "node:dgram";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import snmp from "net-snmp";
import type { Log } from "../../../shared/log.ts";
import type { Instruments } from "../instruments.ts";
import { APC } from "./apc.ts";
import { fanTray } from "./fan-tray.ts";
import {
  type SnmpInstance,
  type SnmpObject,
  type SnmpProfile,
  type SnmpValue,
  scalar,
  TYPES,
} from "./objects.ts";
import { RARITAN_PX } from "./raritan.ts";
import { VERTIV_GEIST } from "./vertiv.ts";

export const SNMP_PROFILES = { apc: APC, raritan: RARITAN_PX, vertiv: VERTIV_GEIST } as const;
export type SnmpProfileName = keyof typeof SNMP_PROFILES;

export interface SnmpUser {
  name: string;
  /** At least 8 characters each (RFC 3414 §11.2). */
  auth_key: string;
  priv_key: string;
  write: boolean;
}

export interface SnmpOptions {
  host: string;
  /** 0: any free port. */
  port: number;
  profile: SnmpProfileName;
  read_community: string;
  write_community: string;
  /** SNMPv3, authPriv with SHA and AES-128. */
  users: readonly SnmpUser[];
}

export interface SnmpServer {
  readonly port: number;
  close(): Promise<void>;
}

/** The part of net-snmp's agent that is used here; its typings leave it open. */
interface MibNode {
  address: number[];
  children: Record<number, MibNode>;
  parent: MibNode | null;
  provider?: unknown;
  value?: SnmpValue;
  valueType?: number;
}
interface MibRequest {
  operation: number;
  testSet?: boolean;
  setValue?: unknown;
  done(error?: { errorStatus: number; type: number; value: null }): void;
}
type Listener = (...args: unknown[]) => void;
interface Agent {
  getMib(): {
    registerProvider(provider: unknown): void;
    addProviderToNode(provider: unknown): MibNode;
    addNodesForOid(oid: string): MibNode;
    lookup(oid: string): MibNode | null;
  };
  getAuthorizer(): {
    addCommunity(community: string): void;
    addUser(user: snmp.User): void;
    getAccessControlModel(): {
      setCommunityAccess(community: string, level: number): void;
      setUserAccess(user: string, level: number): void;
    };
  };
  close(callback: () => void): void;
}

/** An SNMP agent (v1, v2c, v3) of one make of rack PDU. It answers nothing to who does not know a community or user. */
export async function serveSnmp(device: Instruments, options: SnmpOptions, log: Log): Promise<SnmpServer> {
  const profile = SNMP_PROFILES[options.profile];
  const objects = [...systemGroup(device, profile), ...profile.objects(device), ...fanTray(device)];
  let refresh = () => {};
  const socket = dgram.createSocket("udp4");
  beforeEachMessage(socket, () => refresh(), log);
  const agent: Agent = snmp.createAgent(
    {
      address: options.host,
      // As text, since the library takes the number 0 for its default port.
      port: String(options.port),
      engineID: engineId(device.rack_id),
      accessControlModelType: snmp.AccessControlModelType.Simple,
      dgramModule: { createSocket: () => socket },
    },
    (error: Error | null) => {
      if (error) log.debug({ event: "snmp_request_refused", reason: error.message });
    },
  );
  authorize(agent, options);
  const tree = mibTree(agent, objects);
  refresh = tree.refresh;
  await once(socket, "listening");
  return {
    port: (socket.address() as AddressInfo).port,
    close: () => new Promise((resolve) => agent.close(resolve)),
  };
}

/**
 * Has the agent's tree show what the sensors say at the instant of a request. A request that the library stumbles
 * over, such as one for an OID that begins with 7, is dropped as the malformed one that it is.
 */
function beforeEachMessage(socket: dgram.Socket, prepare: () => void, log: Log): void {
  const listen = socket.on.bind(socket) as (event: string, listener: Listener) => dgram.Socket;
  const guarded = (event: string, listener: Listener) => {
    if (event !== "message") return listen(event, listener);
    return listen(event, (...message) => {
      prepare();
      try {
        listener(...message);
      } catch (error) {
        log.debug({ event: "snmp_request_malformed", reason: String(error) });
      }
    });
  };
  socket.on = guarded as typeof socket.on;
}

function systemGroup(device: Instruments, profile: SnmpProfile): SnmpObject[] {
  const system = "1.3.6.1.2.1.1";
  const started_ms = device.now_ms;
  return [
    scalar("sysDescr", `${system}.1`, "text", () => profile.description),
    scalar("sysObjectID", `${system}.2`, "oid", () => profile.object_id),
    scalar("sysUpTime", `${system}.3`, "ticks", () => Math.floor((device.now_ms - started_ms) / 10)),
    scalar("sysName", `${system}.5`, "text", () => device.rack_id),
  ];
}

/** A device keeps its engine ID for life (RFC 3411 §5): net-snmp's enterprise, octets derived from the rack. */
function engineId(rack_id: string): string {
  return `8000B98380${createHash("sha256").update(rack_id).digest("hex").slice(0, 24)}`;
}

function authorize(agent: Agent, options: SnmpOptions): void {
  const { ReadOnly, ReadWrite } = snmp.AccessLevel;
  const authorizer = agent.getAuthorizer();
  const access = authorizer.getAccessControlModel();
  for (const community of [options.read_community, options.write_community]) {
    authorizer.addCommunity(community);
    access.setCommunityAccess(community, community === options.write_community ? ReadWrite : ReadOnly);
  }
  for (const { name, auth_key, priv_key, write } of options.users) {
    authorizer.addUser({
      name,
      level: snmp.SecurityLevel.authPriv,
      authProtocol: snmp.AuthProtocols.sha,
      authKey: auth_key,
      privProtocol: snmp.PrivProtocols.aes,
      privKey: priv_key,
    });
    access.setUserAccess(name, write ? ReadWrite : ReadOnly);
  }
}

/**
 * The library's tree of instances, kept equal to the objects. Every column is registered as if it were a scalar:
 * that gives columns any index, and instances that come and go.
 */
function mibTree(agent: Agent, objects: readonly SnmpObject[]): { refresh(): void } {
  const mib = agent.getMib();
  const instances = objects.flatMap((object) => {
    const provider = providerOf(object);
    mib.registerProvider(provider);
    return object.instances.map((instance) => ({
      oid: `${object.oid}.${instance.index}`,
      type: TYPES[object.type],
      provider,
      instance,
    }));
  });
  return {
    refresh() {
      for (const { oid, type, provider, instance } of instances) {
        const value = instance.read();
        if (value === null) {
          const node = mib.lookup(oid);
          if (node) prune(node);
          continue;
        }
        mib.addProviderToNode(provider);
        const node = mib.addNodesForOid(oid);
        node.valueType = type;
        node.value = value;
      }
    },
  };
}

/** Removes an instance and the branches that it leaves empty, so that a walk passes over it. */
function prune(node: MibNode): void {
  for (let at = node; at.parent && Object.keys(at.children).length === 0; at = at.parent) {
    delete at.parent.children[at.address.at(-1)!];
  }
}

function providerOf(object: SnmpObject) {
  const [first] = object.instances;
  return {
    name: object.name,
    type: snmp.MibProviderType.Scalar,
    oid: object.oid,
    scalarType: TYPES[object.type],
    maxAccess: snmp.MaxAccess[first?.write ? "read-write" : "read-only"],
    ...(first?.write ? { handler: setHandler(first.write) } : {}),
  };
}

/** A set is tested first, for all variables of the request, and then carried out (RFC 3416 §4.2.5). */
function setHandler(write: NonNullable<SnmpInstance["write"]>): (request: MibRequest) => void {
  return (request) => {
    if (request.operation !== snmp.PduType.SetRequest) return request.done();
    const value = Number(request.setValue);
    if (!write.accepts(value)) {
      return request.done({
        errorStatus: snmp.ErrorStatus.WrongValue,
        type: snmp.ObjectType.Null,
        value: null,
      });
    }
    if (!request.testSet) write.apply(value);
    request.done();
  };
}
