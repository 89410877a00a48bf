import { connect, type Socket } from "node:net";
import modbusSerial from "modbus-serial";
import type { ModbusConnection } from "../../shared/contracts/devices/modbus.ts";
import { type Rejection, reject, SkadiError } from "../../shared/errors.ts";
import type { ModbusRange } from "./modbus-blocks.ts";

/** The device answered, and said no. */
export class ModbusException extends SkadiError {
  /** As the protocol numbers them: 1 illegal function, 2 illegal address, 3 illegal value, 6 busy … */
  readonly exception_code: number;

  constructor(exception_code: number, rejection: Rejection) {
    super(rejection);
    this.exception_code = exception_code;
  }
}

/**
 * One connection to a device. Requests go one after the other; a request that fails otherwise than by an exception
 * ends the connection, so that a late answer meets nobody, and the next request makes a new one.
 */
export interface ModbusClient {
  /** Registers as they come, two bytes each; of a table of bits, one byte (0 or 1) each. */
  read(range: ModbusRange, signal: AbortSignal): Promise<Buffer>;
  /** One register (function 6) or several (function 16). */
  writeRegisters(
    at: { unit_id: number; address: number; function_code: 6 | 16 },
    bytes: Buffer,
    signal: AbortSignal,
  ): Promise<void>;
  writeCoil(at: { unit_id: number; address: number }, on: boolean, signal: AbortSignal): Promise<void>;
  /** Ends the connection after the requests that are under way. */
  close(): Promise<void>;
}

/** One attempt has to fit connection and answer into its time, with some left to say what was missing. */
const SHARE_OF_TIMEOUT = 0.8;

type ModbusRTU = InstanceType<typeof modbusSerial.default>;

interface Line {
  modbus: ModbusRTU;
  /** Rejects when the connection is gone. */
  lost: Promise<never>;
}

export function modbusClient({ host, port, timeout_s }: ModbusConnection): ModbusClient {
  const wait_ms = timeout_s * 1000 * SHARE_OF_TIMEOUT;
  const device = `${host}:${port}`;
  let line: Promise<Line> | undefined;
  let socket: Socket | undefined;
  let previous: Promise<unknown> = Promise.resolve();

  const drop = () => {
    socket?.destroy();
    socket = undefined;
    line = undefined;
  };
  const open = async (): Promise<Line> => {
    const opening = connect({ host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: 30_000 });
    socket = opening;
    const lost = new Promise<never>((_, fail) => {
      opening.once("close", () => fail(new Error("connection closed")));
      opening.once("error", fail);
    });
    // Whoever waits on the line hears of it; with nobody waiting it is no failure.
    lost.catch(() => {
      if (socket === opening) drop();
    });
    const connected = new Promise<void>((resolve) => opening.once("connect", resolve));
    await within(Promise.race([connected, lost]), wait_ms, `no connection within ${wait_ms / 1000} s`);
    const modbus = new modbusSerial.default();
    // The library reports what its own socket handlers see; `lost` says the same.
    modbus.on("error", () => {});
    await modbus.linkTCP(opening, { port });
    modbus.setTimeout(wait_ms);
    return { modbus, lost };
  };
  const once = async <T>(
    what: string,
    unit_id: number,
    signal: AbortSignal,
    request: (modbus: ModbusRTU) => Promise<T>,
  ): Promise<T> => {
    signal.throwIfAborted();
    signal.addEventListener("abort", drop, { once: true });
    try {
      line ??= open();
      const { modbus, lost } = await line;
      modbus.setID(unit_id);
      return await Promise.race([request(modbus), lost]);
    } catch (error) {
      const { modbusCode, message = String(error) } = error as { modbusCode?: number; message?: string };
      const reason = message === "Timed out" ? `no answer within ${wait_ms / 1000} s` : message;
      const expected = `an answer of unit ${unit_id} at ${device} (${reason})`;
      const rejection = reject("SKADI_DRIVER", { field: what, expected });
      if (modbusCode !== undefined) throw new ModbusException(modbusCode, rejection);
      drop();
      throw new SkadiError(rejection);
    } finally {
      signal.removeEventListener("abort", drop);
    }
  };
  const queued: typeof once = (...args) => {
    const mine = previous.then(() => once(...args));
    previous = mine.catch(() => {});
    return mine;
  };

  return {
    async read({ unit_id, table, address, count }, signal) {
      const what = `${table} ${address}${count > 1 ? ` to ${address + count - 1}` : ""}`;
      switch (table) {
        case "holding":
          return (await queued(what, unit_id, signal, (m) => m.readHoldingRegisters(address, count))).buffer;
        case "input":
          return (await queued(what, unit_id, signal, (m) => m.readInputRegisters(address, count))).buffer;
        case "coil":
          return bits((await queued(what, unit_id, signal, (m) => m.readCoils(address, count))).data, count);
        case "discrete":
          return bits(
            (await queued(what, unit_id, signal, (m) => m.readDiscreteInputs(address, count))).data,
            count,
          );
      }
    },
    async writeRegisters({ unit_id, address, function_code }, bytes, signal) {
      await queued<unknown>(`holding ${address}`, unit_id, signal, (m) =>
        function_code === 6
          ? m.writeRegister(address, bytes.readUInt16BE())
          : m.writeRegisters(address, bytes),
      );
    },
    async writeCoil({ unit_id, address }, on, signal) {
      await queued(`coil ${address}`, unit_id, signal, (m) => m.writeCoil(address, on));
    },
    async close() {
      await previous;
      drop();
    },
  };
}

const bits = (data: readonly boolean[], count: number) => Buffer.from(data.slice(0, count).map(Number));

function within<T>(promise: Promise<T>, deadline_ms: number, otherwise: string): Promise<T> {
  let timer: NodeJS.Timeout;
  const late = new Promise<never>((_, fail) => {
    timer = setTimeout(() => fail(new Error(otherwise)), deadline_ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
