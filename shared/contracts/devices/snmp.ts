import * as z from "zod";
import { deviceShape, driveShape, fieldFitsUnit, pointShape, Secret, sensorShape } from "./common.ts";

const Oid = z.string().regex(/^\.?[0-2](\.\d{1,10})+$/, "an OID in numbers, such as 1.3.6.1.2.1.1.3.0");

/** Which rows of a table: a number, or an index of several parts such as 1.3. */
const Instance = z.union([
  z.int().min(0),
  z.string().regex(/^\d+(\.\d+)*$/, "a row's index, such as 3 or 1.3"),
]);

/** A user of SNMPv3; with neither `auth` nor `priv` it is only a name. */
const SnmpUser = z
  .strictObject({
    name: z.string().min(1),
    auth: z
      .strictObject({
        protocol: z.enum(["md5", "sha", "sha224", "sha256", "sha384", "sha512"]).default("sha256"),
        password: Secret,
      })
      .optional(),
    priv: z
      .strictObject({
        /** aes is AES-128; of AES-256 there are two ways to make the key: b (Blumenthal), r (Reeder, as Cisco does). */
        protocol: z.enum(["aes", "aes256b", "aes256r"]).default("aes"),
        password: Secret,
      })
      .optional(),
    context: z.string().default(""),
  })
  .refine(({ auth, priv }) => auth || !priv, { path: ["auth"], message: "needed where there is priv" });

const connection = {
  host: z.string().min(1),
  port: z.int().min(1).max(65_535).default(161),
  /** SNMPv2c. */
  community: Secret.optional(),
  /** SNMPv3. */
  user: SnmpUser.optional(),
  /** How many values one request asks for; fewer are asked where the agent says that it is too many. */
  pdu_oids: z.int().min(1).max(100).default(20),
};
const Connection = z.object({ timeout_s: deviceShape.timeout_s, ...connection });
export type SnmpConnection = z.infer<typeof Connection>;

function oneIdentity(
  { community, user }: { community?: unknown; user?: unknown },
  ctx: z.RefinementCtx,
): void {
  if ((community === undefined) === (user === undefined)) {
    const message = "either community (SNMPv2c) or user (SNMPv3)";
    ctx.addIssue({ code: "custom", path: ["community"], message });
  }
}

const SnmpPoint = z
  .strictObject({
    ...pointShape,
    /** One value. */
    oid: Oid.optional(),
    /** Several values. */
    oids: z.array(Oid).min(1).optional(),
    /** A table's column: these rows of it, or all that there are. */
    column: Oid.optional(),
    instances: z.array(Instance).min(1).optional(),
    /** The column of the same table that tells how many decimal digits a row's value has. */
    digits: Oid.optional(),
    /** Values that mean that there is none, beside the device's. */
    no_value: z.array(z.number()).default([]),
  })
  .superRefine(fieldFitsUnit)
  .superRefine(({ oid, oids, column, instances, digits }, ctx) => {
    if ([oid, oids, column].filter((source) => source !== undefined).length !== 1) {
      ctx.addIssue({ code: "custom", path: ["oid"], message: "exactly one of oid, oids, column" });
    }
    if (column === undefined && (instances || digits)) {
      const path = [instances ? "instances" : "digits"];
      ctx.addIssue({ code: "custom", path, message: "only with column" });
    }
  });

export const SnmpProfile = z.enum([
  "apc_rpdu2",
  "raritan_px",
  "vertiv_geist",
  "vertiv_geist_thd",
  "entity_sensor",
]);
export type SnmpProfile = z.infer<typeof SnmpProfile>;

/** What an SNMP agent tells: the points of a ready profile, and points by OID. */
export const SnmpSensor = z
  .strictObject({
    driver: z.literal("snmp"),
    ...sensorShape,
    ...connection,
    profile: SnmpProfile.optional(),
    /** Rows of the profile's power table that feed pdu_kw; default: the PDU's own total, where the profile has one. */
    power: z.array(Instance).optional(),
    /** Rows of the profile's temperature table: which probes hang where. */
    inlet_probes: z.array(Instance).default([]),
    outlet_probes: z.array(Instance).default([]),
    /** Values that mean that there is none, for all points named here. */
    no_value: z.array(z.number()).default([]),
    points: z.array(SnmpPoint).default([]),
  })
  .superRefine(oneIdentity)
  .superRefine(({ profile, power, inlet_probes, outlet_probes, points }, ctx) => {
    const probes = inlet_probes.length + outlet_probes.length + (power?.length ?? 0);
    if (profile === undefined && probes > 0) {
      const message = "needed where there is power, inlet_probes or outlet_probes";
      ctx.addIssue({ code: "custom", path: ["profile"], message });
    }
    const bare = profile === undefined || profile === "entity_sensor";
    if (points.length === 0 && probes === 0 && (bare || power !== undefined)) {
      ctx.addIssue({ code: "custom", path: ["points"], message: "at least one point, or a profile's" });
    }
  });
export type SnmpSensor = z.infer<typeof SnmpSensor>;

/** Values driven by SNMP SET. */
export const SnmpDrive = z
  .strictObject({
    driver: z.literal("snmp"),
    ...deviceShape,
    ...connection,
    targets: z
      .array(
        z.strictObject({
          ...driveShape,
          oid: Oid,
          /** As the MIB has it; unsigned32 and gauge32 are the same on the wire. */
          type: z.enum(["integer", "gauge32", "unsigned32"]).default("integer"),
          /** Where the setpoint in force is read; default: where it is written. */
          read_oid: Oid.optional(),
          /** The object (an INTEGER) that hands control to the device and takes it back. */
          auto: z.strictObject({ oid: Oid, automatic: z.int(), manual: z.int() }).optional(),
        }),
      )
      .min(1),
  })
  .superRefine(oneIdentity);
export type SnmpDrive = z.infer<typeof SnmpDrive>;
