import { ObjectType, type Varbind } from "net-snmp";

/** An opaque value that wraps a float (RFC draft of the net-snmp project): tag, type, length, then the number. */
const OPAQUE_FLOAT = 0x9f78;
const OPAQUE_DOUBLE = 0x9f79;

/** Digits, with or without blanks and a unit behind them, as devices print them: "23.4", " 23.4 C". */
const NUMBER_IN_TEXT = /^\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)\s*[^\d\s]{0,8}\s*$/i;

/** The number that an object stands for; null where it has none. */
export function numberOf({ type, value }: Varbind): number | null {
  if (typeof value === "number") return Number.isFinite(value) ? value : null;
  if (!Buffer.isBuffer(value)) return null;
  if (type === ObjectType.Counter64)
    return value.length === 0 ? null : Number(BigInt(`0x${value.toString("hex")}`));
  if (type === ObjectType.Opaque) return opaqueNumber(value);
  if (type !== ObjectType.OctetString) return null;
  const text = NUMBER_IN_TEXT.exec(value.toString("latin1").replaceAll("\0", ""))?.[1];
  return text === undefined ? null : Number(text);
}

function opaqueNumber(value: Buffer): number | null {
  if (value.length < 3) return null;
  const tag = value.readUInt16BE(0);
  if (tag === OPAQUE_FLOAT && value.length === 7) return finite(value.readFloatBE(3));
  if (tag === OPAQUE_DOUBLE && value.length === 11) return finite(value.readDoubleBE(3));
  return null;
}

const finite = (value: number) => (Number.isFinite(value) ? value : null);
