import * as z from "zod";
import { deviceShape, driveShape, fieldFitsUnit, pointShape, Secret, sensorShape } from "./common.ts";
import { withHostUnit } from "./host-unit.ts";

/** How the management controller is reached: over the network, or without a host as this machine's own. */
const connectionShape = {
  host: z
    .string()
    .regex(/^[^-\s]\S*$/, "a host name or address")
    .optional(),
  port: z.int().min(1).max(65_535).default(623),
  username: z.string().min(1).optional(),
  password: Secret.optional(),
  /** lan is IPMI 1.5, which encrypts nothing: only for controllers that know nothing else. */
  interface: z.enum(["lanplus", "lan"]).default("lanplus"),
  /** Default: that of ipmitool (17; 3 for older controllers). */
  cipher_suite: z.int().min(0).max(17).optional(),
};
const privilege = z.enum(["user", "operator", "administrator"]);

export type IpmiConnection = z.infer<z.ZodObject<typeof connectionShape>> & {
  privilege: z.infer<typeof privilege>;
};

const passwordWithHost = (device: { host?: unknown; username?: unknown; password?: unknown }) =>
  device.host !== undefined || (device.username === undefined && device.password === undefined);
const PASSWORD_WITH_HOST = { path: ["host"], error: "a host, where username or password is given" };

const Point = z
  .strictObject({
    ...pointShape,
    /** A sensor's name; `*` and `?` stand for any text and any character, and all that fit count. */
    sensor: z.string().min(1).optional(),
    /** power: what the whole chassis draws, as DCMI tells it. */
    dcmi: z.literal("power").optional(),
  })
  .superRefine(fieldFitsUnit)
  .refine((p) => (p.sensor === undefined) !== (p.dcmi === undefined), {
    path: ["sensor"],
    error: "either sensor or dcmi",
  })
  .transform(withHostUnit);

/** A management controller that is read by ipmitool. */
export const IpmiSensor = z
  .strictObject({
    driver: z.literal("ipmi"),
    ...sensorShape,
    ...connectionShape,
    privilege: privilege.default("user"),
    /** ipmitool takes seconds. */
    poll_s: sensorShape.poll_s.default(5),
    timeout_s: sensorShape.timeout_s.default(10),
    /** What `ipmitool sdr dump <file>` wrote: saves asking for the list of sensors at every read. */
    sdr_cache: z.string().min(1).optional(),
    points: z.array(Point).min(1),
  })
  .refine(passwordWithHost, PASSWORD_WITH_HOST);
export type IpmiSensor = z.infer<typeof IpmiSensor>;

const BYTE = "(0x[0-9a-fA-F]{1,2}|25[0-5]|2[0-4]\\d|1?\\d?\\d)";
const template = (byte: string, expected: string) =>
  z.string().regex(new RegExp(`^${byte}( ${byte}){1,31}$`), expected);

/** The bytes of a raw command as ipmitool takes them: network function, command, data. */
const Bytes = template(BYTE, "2 to 32 bytes, such as 0x30 0x30 0x01 0x01");
const SetBytes = template(
  `(${BYTE}|\\{value\\})`,
  "2 to 32 bytes or {value}, such as 0x30 0x30 0x02 0xff {value}",
);

const commandsShape = {
  /** Sent in this order to set a value; `{value}` stands for its byte. */
  set: z
    .array(SetBytes)
    .min(1)
    .refine((commands) => commands.some((bytes) => bytes.includes("{value}")), "{value} in one of them"),
  /** Sent to hand back to the controller's own control. */
  auto: z.array(Bytes).min(1),
  /** Asks for the value in force; its byte in the answer, counted from 0. */
  get: z.strictObject({ bytes: Bytes, byte: z.int().min(0).max(31).default(0) }).optional(),
  /** Asks who is in control: the controller itself unless the answer's byte is one of `manual`. */
  get_mode: z
    .strictObject({
      bytes: Bytes,
      byte: z.int().min(0).max(31).default(0),
      manual: z.array(z.int().min(0).max(255)).min(1),
    })
    .optional(),
  /** The largest byte that the controller takes. */
  byte_max: z.int().min(1).max(255),
};

/** Vendor commands that are widely used but nowhere promised: check them on the machine at hand. */
const PROFILES = {
  /** PowerEdge with iDRAC 7 to 9 (firmware below 3.34): the duty cycle cannot be read back. */
  dell: {
    set: ["0x30 0x30 0x01 0x00", "0x30 0x30 0x02 0xff {value}"],
    auto: ["0x30 0x30 0x01 0x01"],
    byte_max: 100,
  },
  /** X10 to X12: full speed mode, so that the controller keeps its hands off, then zones 0 (CPU) and 1 (peripheral). */
  supermicro: {
    set: ["0x30 0x45 0x01 0x01", "0x30 0x70 0x66 0x01 0x00 {value}", "0x30 0x70 0x66 0x01 0x01 {value}"],
    auto: ["0x30 0x45 0x01 0x00"],
    get: { bytes: "0x30 0x70 0x66 0x00 0x00", byte: 0 },
    get_mode: { bytes: "0x30 0x45 0x00", byte: 0, manual: [1] },
    byte_max: 100,
  },
} as const satisfies Record<string, unknown>;

const Driven = z
  .strictObject({
    ...driveShape,
    profile: z.enum(["dell", "supermicro"]).optional(),
    ...z.object(commandsShape).partial().shape,
  })
  .transform((driven, ctx) => {
    const { profile, ...own } = driven;
    const given = Object.fromEntries(Object.entries(own).filter(([, value]) => value !== undefined));
    const base = profile === undefined ? { byte_max: 255 } : PROFILES[profile];
    const commands = z.object(commandsShape).safeParse({ ...base, ...given });
    if (commands.success) {
      const { target, scale, offset } = driven;
      return { target, scale, offset, ...commands.data };
    }
    // Each was checked by itself: what is wrong now is what is not there.
    for (const { path } of commands.error.issues) {
      ctx.addIssue({ code: "custom", path: [...path], message: "raw commands, or a profile that has them" });
    }
    return z.NEVER;
  })
  .refine((driven) => driven.scale !== 0, { path: ["scale"], error: "not 0" });
export type IpmiDriven = z.infer<typeof Driven>;

/** A management controller that is driven by raw commands. */
export const IpmiDrive = z
  .strictObject({
    driver: z.literal("ipmi"),
    ...deviceShape,
    ...connectionShape,
    privilege: privilege.default("administrator"),
    timeout_s: deviceShape.timeout_s.default(4),
    targets: z.array(Driven).min(1),
  })
  .refine(passwordWithHost, PASSWORD_WITH_HOST);
export type IpmiDrive = z.infer<typeof IpmiDrive>;
