import { once } from "node:events";
import type { AddressInfo, Server } from "node:net";
import { ServerTCP } from "modbus-serial";
import type { Log } from "../../../shared/log.ts";
import type { Instruments } from "../instruments.ts";
import { encodeRegisters, HOLDING_REGISTERS, INPUT_REGISTERS } from "./registers.ts";

const ILLEGAL_FUNCTION = 1;
const ILLEGAL_ADDRESS = 2;
const ILLEGAL_VALUE = 3;

export interface ModbusOptions {
  host: string;
  /** 0: any free port. */
  port: number;
  /** Requests for other units get no answer, as on a bus without them. */
  unit_id: number;
}

export interface ModbusServer {
  readonly port: number;
  close(): Promise<void>;
}

/** The coolant distribution unit as a Modbus TCP server; any number of clients, one register map (cdu-registers.ts). */
export async function serveModbus(cdu: Instruments, options: ModbusOptions, log: Log): Promise<ModbusServer> {
  const vector = {
    getInputRegister: (address: number) => readInput(cdu, address, 1)[0]!,
    getMultipleInputRegisters: (address: number, length: number) => readInput(cdu, address, length),
    getHoldingRegister: (address: number) => readHolding(cdu, address, 1)[0]!,
    getMultipleHoldingRegisters: (address: number, length: number) => readHolding(cdu, address, length),
    setRegister: (address: number, value: number) => writeHolding(cdu, address, [value]),
    setRegisterArray: (address: number, values: number[]) => writeHolding(cdu, address, values),
    getCoil: noCoils,
    getDiscreteInput: noCoils,
    setCoil: noCoils,
  };
  // As text, since the library takes the number 0 for its default port.
  const port = String(options.port) as unknown as number;
  const server = new ServerTCP(vector, { host: options.host, port, unitID: options.unit_id });
  server.on("socketError", (error) => log.debug({ event: "modbus_socket_error", reason: error?.message }));
  await Promise.race([
    once(server, "initialized"),
    once(server, "serverError").then(([error]) => Promise.reject(error)),
  ]);
  server.on("serverError", (error) => log.error({ event: "modbus_server_error", reason: error?.message }));
  const { _server: listener } = server as unknown as { _server: Server };
  return {
    port: (listener.address() as AddressInfo).port,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

function readInput(cdu: Instruments, address: number, length: number): number[] {
  const image = new Map<number, number>();
  for (const { address: start, type, scale, read } of INPUT_REGISTERS) {
    encodeRegisters(type, scale, read(cdu)).forEach((word, i) => {
      image.set(start + i, word);
    });
  }
  return block(address, length, (at) => image.get(at));
}

function readHolding(cdu: Instruments, address: number, length: number): number[] {
  return block(address, length, (at) => HOLDING_REGISTERS.find((r) => r.address === at)?.read(cdu));
}

function writeHolding(cdu: Instruments, address: number, values: readonly number[]): void {
  const writes = values.map((value, i) => {
    const register = HOLDING_REGISTERS.find((r) => r.address === address + i);
    if (!register) throw exception(ILLEGAL_ADDRESS, `no holding register ${address + i}`);
    const [min, max] = register.range;
    if (value < min || value > max) throw exception(ILLEGAL_VALUE, `${register.name}: ${value}`);
    return { register, value };
  });
  // Only when every one is allowed is any carried out.
  for (const order of ["setpoint", "mode"] as const) {
    for (const { register, value } of writes) if (register.order === order) register.write(cdu, value);
  }
}

function block(address: number, length: number, read: (at: number) => number | undefined): number[] {
  return Array.from({ length }, (_, i) => {
    const word = read(address + i);
    if (word === undefined) throw exception(ILLEGAL_ADDRESS, `no register ${address + i}`);
    return word;
  });
}

function noCoils(): never {
  throw exception(ILLEGAL_FUNCTION, "the device has no coils");
}

/** The library answers with the code that it finds on the error. */
function exception(modbusErrorCode: number, message: string): Error {
  return Object.assign(new Error(message), { modbusErrorCode });
}
