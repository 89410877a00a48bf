import * as z from "zod";
import { deviceShape, driveShape, fieldFitsUnit, pointShape, sensorShape } from "./common.ts";

/** As on the wire: the first register is 0. */
const Address = z.int().min(0).max(65_535);
const UnitId = z.int().min(0).max(255);

const encoding = {
  type: z
    .enum(["int16", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64"])
    .default("uint16"),
  /** Of a value of several registers: which of them comes first. */
  word_order: z.enum(["big", "little"]).default("big"),
  /** Within a register; big is what the protocol asks for. */
  byte_order: z.enum(["big", "little"]).default("big"),
};
const Encoding = z.object(encoding);
export type ModbusEncoding = z.infer<typeof Encoding>;
export type ModbusType = ModbusEncoding["type"];

/** How many registers a value takes. */
export const MODBUS_WORDS: Record<ModbusType, number> = {
  int16: 1,
  uint16: 1,
  int32: 2,
  uint32: 2,
  float32: 2,
  int64: 4,
  uint64: 4,
  float64: 4,
};

const connection = {
  host: z.string().min(1),
  port: z.int().min(1).max(65_535).default(502),
  unit_id: UnitId.default(1),
};
const Connection = z.object({ timeout_s: deviceShape.timeout_s, ...connection });
export type ModbusConnection = z.infer<typeof Connection>;

export const ModbusTable = z.enum(["holding", "input", "coil", "discrete"]);
export type ModbusTable = z.infer<typeof ModbusTable>;

const within = (addresses: readonly number[], type: ModbusType) =>
  addresses.every((address) => address + MODBUS_WORDS[type] <= 65_536);

const ModbusPoint = z
  .strictObject({
    ...pointShape,
    table: ModbusTable.default("holding"),
    /** One, or several of the same kind. */
    address: z.union([Address, z.array(Address).min(1)]),
    ...encoding,
    /** Another unit behind the same gateway. */
    unit_id: UnitId.optional(),
    /** Values that mean that there is none: as read, or the registers' bits as one number, such as 0x8000. */
    no_value: z.array(z.number()).default([]),
  })
  .superRefine(fieldFitsUnit)
  .superRefine(({ table, address, type }, ctx) => {
    const bits = table === "coil" || table === "discrete";
    if (bits && type !== "uint16") {
      ctx.addIssue({ code: "custom", path: ["type"], message: `none: a ${table} is 0 or 1` });
    }
    if (!within([address].flat(), type)) {
      ctx.addIssue({ code: "custom", path: ["address"], message: `room for ${type} below 65536` });
    }
  });
export type ModbusPoint = z.infer<typeof ModbusPoint>;

/** Registers, coils and inputs of a Modbus TCP device, or of units behind a gateway. */
export const ModbusSensor = z.strictObject({
  driver: z.literal("modbus"),
  ...sensorShape,
  ...connection,
  /** Up to this many registers nobody asked for are read along, where that saves a request. */
  gap_max: z.int().min(0).max(100).default(8),
  /** What one request may ask for; the protocol allows 125. */
  registers_max: z.int().min(4).max(125).default(125),
  points: z.array(ModbusPoint).min(1),
});
export type ModbusSensor = z.infer<typeof ModbusSensor>;

const ModbusTarget = z
  .strictObject({
    ...driveShape,
    /** A holding register. */
    address: Address,
    ...encoding,
    unit_id: UnitId.optional(),
    /** 6 writes one register, 16 several; default: what the type needs. */
    function_code: z.literal([6, 16]).optional(),
    /** Where the setpoint in force is read; default: where it is written. */
    read: z
      .strictObject({ table: z.enum(["holding", "input"]).default("holding"), address: Address })
      .optional(),
    /** The register or coil that hands control to the device and takes it back. */
    auto: z
      .strictObject({
        table: z.enum(["holding", "coil"]).default("holding"),
        address: Address,
        automatic: z.int().min(0).max(65_535),
        manual: z.int().min(0).max(65_535),
      })
      .optional(),
  })
  .superRefine(({ address, type, read, function_code }, ctx) => {
    if (!within([address, read?.address ?? address], type)) {
      ctx.addIssue({ code: "custom", path: ["address"], message: `room for ${type} below 65536` });
    }
    if (function_code === 6 && MODBUS_WORDS[type] > 1) {
      ctx.addIssue({ code: "custom", path: ["function_code"], message: `16 for ${type}` });
    }
  });
export type ModbusTarget = z.infer<typeof ModbusTarget>;

/** Setpoints in holding registers. */
export const ModbusDrive = z.strictObject({
  driver: z.literal("modbus"),
  ...deviceShape,
  ...connection,
  targets: z.array(ModbusTarget).min(1),
});
export type ModbusDrive = z.infer<typeof ModbusDrive>;
