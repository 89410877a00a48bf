import type { Instruments } from "../instruments.ts";
import { SPEED_RANGE_PCT } from "../speed-control.ts";

/**
 * How a value lies in registers: 16 bit, or an IEEE 754 single in two registers, high word first (`float32`) or low
 * word first (`float32_swapped`). Bytes within a register are big-endian, as Modbus wants it.
 */
type RegisterType = "uint16" | "int16" | "float32" | "float32_swapped";

/** Read-only; addresses are those on the wire, from 0 (register 30001 of the old notation). */
export interface InputRegister {
  address: number;
  name: string;
  type: RegisterType;
  /** Register value × scale = value in the unit. */
  scale: number;
  unit: string;
  /** null: no value at this moment. */
  read(cdu: Instruments): number | null;
}

const FIRMWARE = 1.04;

export const INPUT_REGISTERS: readonly InputRegister[] = [
  u16(0, "pump speed", 0.1, "%", (cdu) => cdu.read().pump_rpm_pct),
  u16(1, "fan speed", 0.1, "%", (cdu) => cdu.read().fan_rpm_pct),
  i16(2, "coolant supply temperature", 0.1, "°C", (cdu) => cdu.loop().supply_c),
  i16(3, "coolant return temperature", 0.1, "°C", (cdu) => cdu.loop().return_c),
  i16(4, "rack inlet air temperature", 0.1, "°C", (cdu) => cdu.read().inlet_c),
  i16(5, "rack outlet air temperature", 0.1, "°C", (cdu) => cdu.read().outlet_c),
  u16(6, "loop pressure", 1, "kPa", (cdu) => cdu.loop().pressure_kpa),
  u16(7, "rack power", 0.01, "kW", (cdu) => cdu.read().pdu_kw),
  u16(8, "status word (bits below)", 1, "", statusWord),
  u16(9, "firmware version", 0.01, "", () => FIRMWARE),
  f32(10, "coolant flow", "float32", "L/min", (cdu) => cdu.loop().flow_lpm),
  f32(12, "coolant flow", "float32_swapped", "L/min", (cdu) => cdu.loop().flow_lpm),
  f32(14, "heat removed", "float32", "kW", (cdu) => cdu.loop().heat_kw),
  f32(16, "heat removed", "float32_swapped", "kW", (cdu) => cdu.loop().heat_kw),
];

/** Read and write; a value outside of the range is refused with exception 3 and nothing changes. */
export interface HoldingRegister {
  address: number;
  name: string;
  /** Register value × scale = value in the unit; range in register values. */
  scale: number;
  unit: string;
  range: readonly [min: number, max: number];
  read(cdu: Instruments): number;
  write(cdu: Instruments, value: number): void;
  /** Within one request setpoints come first, so that the mode written with them has the last word. */
  order: "setpoint" | "mode";
}

export const AUTOMATIC = 0;
export const MANUAL = 1;

export const HOLDING_REGISTERS: readonly HoldingRegister[] = [
  modeRegister(0, "pump control mode: 0 automatic, 1 manual", (cdu) => cdu.pump),
  setpointRegister(1, "pump speed setpoint", "pump_rpm_pct", (cdu) => cdu.pump),
  modeRegister(2, "fan control mode: 0 automatic, 1 manual", (cdu) => cdu.fan),
  setpointRegister(3, "fan speed setpoint", "fan_rpm_pct", (cdu) => cdu.fan),
];

/** What a 16-bit register holds while there is no value; a float32 is NaN. */
export const NO_VALUE_16 = 0x8000;

/** The registers of a value, most significant byte first. */
export function encodeRegisters(type: RegisterType, scale: number, value: number | null): number[] {
  if (type === "float32" || type === "float32_swapped") {
    const view = new DataView(new ArrayBuffer(4));
    view.setFloat32(0, value === null ? Number.NaN : value / scale);
    const words = [view.getUint16(0), view.getUint16(2)];
    return type === "float32" ? words : words.reverse();
  }
  if (value === null) return [NO_VALUE_16];
  const raw = Math.round(value / scale);
  return [raw & 0xffff];
}

const BIT_PUMP_MANUAL = 1 << 1;
const BIT_FAN_MANUAL = 1 << 2;
const BIT_SENSOR_FAULT = 1 << 3;
/** Bit 0, running, is always set. */
const BIT_RUNNING = 1;

function statusWord(cdu: Instruments): number {
  const { pump_rpm_pct, fan_rpm_pct, inlet_c, outlet_c, pdu_kw } = cdu.read();
  const lost = [pump_rpm_pct, fan_rpm_pct, inlet_c, outlet_c, pdu_kw].includes(null);
  return (
    BIT_RUNNING |
    (cdu.pump.automatic ? 0 : BIT_PUMP_MANUAL) |
    (cdu.fan.automatic ? 0 : BIT_FAN_MANUAL) |
    (lost ? BIT_SENSOR_FAULT : 0)
  );
}

type Read = InputRegister["read"];

function u16(address: number, name: string, scale: number, unit: string, read: Read): InputRegister {
  return { address, name, type: "uint16", scale, unit, read };
}

function i16(address: number, name: string, scale: number, unit: string, read: Read): InputRegister {
  return { address, name, type: "int16", scale, unit, read };
}

function f32(
  address: number,
  name: string,
  type: "float32" | "float32_swapped",
  unit: string,
  read: Read,
): InputRegister {
  return { address, name, type, scale: 1, unit, read };
}

type PickControl = (cdu: Instruments) => Instruments["pump"];

function modeRegister(address: number, name: string, pick: PickControl): HoldingRegister {
  return {
    address,
    name,
    scale: 1,
    unit: "",
    range: [AUTOMATIC, MANUAL],
    read: (cdu) => (pick(cdu).automatic ? AUTOMATIC : MANUAL),
    write: (cdu, value) => pick(cdu).setAutomatic(value === AUTOMATIC),
    order: "mode",
  };
}

function setpointRegister(
  address: number,
  name: string,
  target: keyof typeof SPEED_RANGE_PCT,
  pick: PickControl,
): HoldingRegister {
  const [min_pct, max_pct] = SPEED_RANGE_PCT[target];
  return {
    address,
    name,
    scale: 0.1,
    unit: "%",
    range: [min_pct * 10, max_pct * 10],
    read: (cdu) => Math.round(pick(cdu).setpoint_pct * 10),
    write: (cdu, value) => pick(cdu).override(value / 10),
    order: "setpoint",
  };
}
