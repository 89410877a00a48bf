import { MODBUS_WORDS, type ModbusEncoding, type ModbusType } from "../../shared/contracts/devices/modbus.ts";

/** What fits into an integer type; 64 bits only as far as a number is exact. */
const INTEGER_RANGES: Partial<Record<ModbusType, readonly [min: number, max: number]>> = {
  int16: [-(2 ** 15), 2 ** 15 - 1],
  uint16: [0, 2 ** 16 - 1],
  int32: [-(2 ** 31), 2 ** 31 - 1],
  uint32: [0, 2 ** 32 - 1],
  int64: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
  uint64: [0, Number.MAX_SAFE_INTEGER],
};

/**
 * The number in registers, as they came.
 *
 * @param bytes two per register, in the order of the wire
 */
export function decodeRegisters(bytes: Buffer, encoding: ModbusEncoding): number {
  const { type } = encoding;
  const big = reordered(bytes, encoding);
  switch (type) {
    case "int16":
      return big.readInt16BE();
    case "uint16":
      return big.readUInt16BE();
    case "int32":
      return big.readInt32BE();
    case "uint32":
      return big.readUInt32BE();
    case "int64":
      return Number(big.readBigInt64BE());
    case "uint64":
      return Number(big.readBigUInt64BE());
    case "float32":
      return big.readFloatBE();
    case "float64":
      return big.readDoubleBE();
  }
}

/** The registers' bits as one number, whatever their type: how manuals name the value that means none. */
export function registerBits(bytes: Buffer, encoding: ModbusEncoding): number {
  return Number(BigInt(`0x${reordered(bytes, encoding).toString("hex")}`));
}

/**
 * The registers for a number; integers are rounded.
 *
 * @throws RangeError naming the range where the number does not fit: it never wraps
 */
export function encodeRegisters(value: number, encoding: ModbusEncoding): Buffer {
  const { type } = encoding;
  const range = INTEGER_RANGES[type];
  const raw = range ? Math.round(value) : value;
  const [min, max] =
    range ?? (type === "float32" ? [-FLOAT32_MAX, FLOAT32_MAX] : [-Number.MAX_VALUE, Number.MAX_VALUE]);
  if (!(raw >= min && raw <= max)) throw new RangeError(`${min} to ${max} (${type})`);
  const big = Buffer.alloc(2 * MODBUS_WORDS[type]);
  if (type === "float32") big.writeFloatBE(raw);
  else if (type === "float64") big.writeDoubleBE(raw);
  else if (type === "int64") big.writeBigInt64BE(BigInt(raw));
  else if (type === "uint64") big.writeBigUInt64BE(BigInt(raw));
  else if (type === "int16" || type === "int32") big.writeIntBE(raw, 0, big.length);
  else big.writeUIntBE(raw, 0, big.length);
  return reordered(big, encoding);
}

const FLOAT32_MAX = 3.4028234663852886e38;

/** From the wire's order to big-endian, and back: both are the same exchange. */
function reordered(bytes: Buffer, { word_order, byte_order }: ModbusEncoding): Buffer {
  const copy = Buffer.from(bytes);
  if (byte_order === "little") copy.swap16();
  if (word_order === "big") return copy;
  const words = Array.from({ length: copy.length / 2 }, (_, i) => copy.subarray(2 * i, 2 * i + 2));
  return Buffer.concat(words.reverse());
}
