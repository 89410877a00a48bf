import type { RackTarget } from "../../shared/contracts/action.ts";
import { MODBUS_WORDS, type ModbusDrive, type ModbusTarget } from "../../shared/contracts/devices/modbus.ts";
import { skadiError } from "../../shared/errors.ts";
import { modbusClient } from "../devices/modbus.ts";
import { decodeRegisters, encodeRegisters } from "../devices/modbus-values.ts";
import type { DriveDevice } from "./drive.ts";
import { fromRaw, toRaw } from "./raw.ts";

type Auto = NonNullable<ModbusTarget["auto"]>;

/** Drives holding registers over Modbus TCP. */
export function modbusDrive(config: ModbusDrive): DriveDevice {
  const client = modbusClient(config);
  const targetOf = (target: RackTarget) => {
    const found = config.targets.find((t) => t.target === target)!;
    return { ...found, unit_id: found.unit_id ?? config.unit_id };
  };
  const readMode = async (target: RackTarget, unit_id: number, auto: Auto, signal: AbortSignal) => {
    const bytes = await client.read({ unit_id, table: auto.table, address: auto.address, count: 1 }, signal);
    const mode = auto.table === "coil" ? bytes[0]! : bytes.readUInt16BE();
    if (mode === auto.automatic || mode === auto.manual) return mode;
    const expected = `${auto.automatic} (automatic) or ${auto.manual} (manual) at ${auto.table} ${auto.address}`;
    throw skadiError("SKADI_DRIVER", { field: target, value: mode, expected });
  };
  const writeMode = async (unit_id: number, { table, address }: Auto, mode: number, signal: AbortSignal) => {
    if (table === "coil") return client.writeCoil({ unit_id, address }, mode === 1, signal);
    const bytes = encodeRegisters(mode, { type: "uint16", word_order: "big", byte_order: "big" });
    return client.writeRegisters({ unit_id, address, function_code: 6 }, bytes, signal);
  };

  return {
    name: config.name,
    targets: config.targets.map(({ target }) => target),
    without_own_control: config.targets.filter(({ auto }) => !auto).map(({ target }) => target),
    open: async () => {},
    async read(target, signal) {
      const { auto, unit_id, address, read, ...encoding } = targetOf(target);
      if (auto && (await readMode(target, unit_id, auto, signal)) === auto.automatic) return null;
      const from = { table: "holding" as const, address, ...read };
      const bytes = await client.read({ unit_id, count: MODBUS_WORDS[encoding.type], ...from }, signal);
      return fromRaw(encoding, decodeRegisters(bytes, encoding));
    },
    /**
     * The setpoint goes out before the mode: should the connection break between them, the device is still under its
     * own control, and never holds an old setpoint by hand.
     */
    async write(target, value, signal) {
      const { auto, unit_id, address, function_code, ...encoding } = targetOf(target);
      if (value === null) {
        if (auto) return writeMode(unit_id, auto, auto.automatic, signal);
        throw skadiError("SKADI_DRIVER", {
          field: target,
          value,
          expected: "auto, in the drive's configuration",
        });
      }
      const bytes = encoded(target, toRaw(encoding, value), encoding);
      const at = { unit_id, address, function_code: function_code ?? (bytes.length > 2 ? 16 : 6) };
      await client.writeRegisters(at, bytes, signal);
      if (auto) await writeMode(unit_id, auto, auto.manual, signal);
    },
    close: client.close,
  };
}

function encoded(target: RackTarget, raw: number, encoding: Parameters<typeof encodeRegisters>[1]): Buffer {
  try {
    return encodeRegisters(raw, encoding);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw skadiError("SKADI_LIMIT", { field: target, value: raw, expected: error.message });
  }
}
