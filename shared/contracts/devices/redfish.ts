import * as z from "zod";
import { MEASURED_FIELDS } from "../telemetry.ts";
import { deviceShape, driveShape, fieldFitsUnit, pointShape, sensorShape } from "./common.ts";
import { Basic, HttpUrl, httpShape, Pointer } from "./http.ts";

const Uri = z.string().regex(/^\/\S+$/, "a path on the device, such as /redfish/v1/Chassis/1/Thermal");
/** A property, or a JSON pointer to one deeper inside. */
const Property = z.string().min(1);

const redfishShape = {
  /** Scheme, host and port; resources have paths of their own. */
  url: HttpUrl.refine((url) => new URL(url).pathname === "/", "no path: scheme, host and port only"),
  /** Without it nothing but the service root can be read on most devices. */
  auth: z
    .strictObject({
      ...Basic.shape,
      /** session: one login, then a token; basic: the password with every request. */
      method: z.enum(["session", "basic"]).default("session"),
      sessions_uri: Uri.default("/redfish/v1/SessionService/Sessions"),
    })
    .optional(),
  ...httpShape,
  /** Management controllers are slow. */
  timeout_s: deviceShape.timeout_s.default(4),
};

const Select = z.strictObject({
  /** The list to look in. */
  array: Pointer,
  /** Keeps the items whose properties are these, in any case; `*` stands for any text. Empty: all. */
  where: z.record(Property, z.string()).default({}),
  /** What to read of each item. */
  value: Property,
});

/** Where a number is found: at a pointer, or in the items of a list; of one resource, or of each of a collection. */
const source = {
  uri: Uri,
  /** The uri is a collection: each of its members is read. */
  each_member: z.boolean().default(false),
  pointer: Pointer.optional(),
  select: Select.optional(),
};
export type RedfishSource = z.infer<z.ZodObject<typeof source>>;

const Point = z
  .strictObject({ ...pointShape, ...source })
  .superRefine(fieldFitsUnit)
  .refine((p) => (p.pointer === undefined) !== (p.select === undefined), {
    path: ["pointer"],
    error: "either pointer or select",
  });

const REDFISH_PROFILE_FIELDS = {
  chassis: ["inlet_c", "outlet_c", "fan_rpm_pct", "pdu_kw"],
  cdu: ["pump_rpm_pct", "inlet_c", "outlet_c"],
} as const satisfies Record<string, readonly (typeof MEASURED_FIELDS)[number][]>;
export type RedfishProfile = keyof typeof REDFISH_PROFILE_FIELDS;

const Profile = z
  .strictObject({
    profile: z.enum(Object.keys(REDFISH_PROFILE_FIELDS) as [RedfishProfile, ...RedfishProfile[]]),
    /** The chassis or cooling unit. */
    uri: Uri,
    /**
     * Default: all of a chassis; of a cooling unit only its pumps, because coolant is not air: its supply as inlet_c
     * and its return as outlet_c only where nothing measures the rack's air.
     */
    fields: z.array(z.enum(MEASURED_FIELDS)).min(1).optional(),
  })
  .superRefine(({ profile, fields = [] }, ctx) => {
    const offered: readonly string[] = REDFISH_PROFILE_FIELDS[profile];
    if (fields.every((field) => offered.includes(field))) return;
    ctx.addIssue({ code: "custom", path: ["fields"], message: `of ${profile}: ${offered.join(", ")}` });
  });

/** A management controller or cooling unit that speaks DMTF's Redfish. */
export const RedfishSensor = z
  .strictObject({
    driver: z.literal("redfish"),
    ...sensorShape,
    ...redfishShape,
    poll_s: sensorShape.poll_s.default(5),
    profiles: z.array(Profile).default([]),
    points: z.array(Point).default([]),
  })
  .refine((d) => d.profiles.length + d.points.length > 0, {
    path: ["points"],
    error: "at least one point or profile",
  });
export type RedfishSensor = z.infer<typeof RedfishSensor>;

/** What is driven, where the device follows DMTF's schemas. */
export const REDFISH_CONTROLS = {
  /** A Control resource. */
  control: { property: "/SetPoint", mode_property: "/ControlMode", automatic: "Automatic", manual: "Manual" },
  /** A Fan or Pump resource. */
  speed: {
    property: "/SpeedControlPercent/SetPoint",
    mode_property: "/SpeedControlPercent/ControlMode",
    automatic: "Automatic",
    manual: "Manual",
  },
  /** A Power resource; no limit is null. */
  power_limit: { property: "/PowerControl/0/PowerLimit/LimitInWatts" },
  /** An EnvironmentMetrics resource; here Automatic means that the device keeps to the limit by itself. */
  environment_power_limit: {
    property: "/PowerLimitWatts/SetPoint",
    mode_property: "/PowerLimitWatts/ControlMode",
    automatic: "Disabled",
    manual: "Automatic",
  },
} as const;

/** Where a setpoint is, and how the device says that it is in its own hands: a mode, or a setpoint of null. */
const control = {
  property: Pointer,
  mode_property: Pointer.optional(),
  /** The mode in which the device decides by itself. */
  automatic: z.string().min(1).default("Automatic"),
  /** The mode in which it keeps to the setpoint. */
  manual: z.string().min(1).default("Manual"),
};
export type RedfishControl = z.infer<z.ZodObject<typeof control>>;

const DrivenTarget = z
  .strictObject({
    ...driveShape,
    uri: Uri,
    profile: z
      .enum(
        Object.keys(REDFISH_CONTROLS) as [
          keyof typeof REDFISH_CONTROLS,
          ...(keyof typeof REDFISH_CONTROLS)[],
        ],
      )
      .optional(),
    property: Pointer.optional(),
    mode_property: Pointer.optional(),
    automatic: control.automatic.unwrap().optional(),
    manual: control.manual.unwrap().optional(),
  })
  .refine((t) => (t.profile === undefined) !== (t.property === undefined), {
    path: ["property"],
    error: "either profile or property",
  });

export const RedfishDrive = z.strictObject({
  driver: z.literal("redfish"),
  ...deviceShape,
  ...redfishShape,
  targets: z.array(DrivenTarget).min(1),
});
export type RedfishDrive = z.infer<typeof RedfishDrive>;
export type RedfishConnection = Pick<RedfishDrive, "name" | "url" | "auth" | "tls" | "response_max_kb">;
