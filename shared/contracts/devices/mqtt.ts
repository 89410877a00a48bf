import * as z from "zod";
import { fieldFitsUnit, pointShape, Secret, sensorShape } from "./common.ts";
import { FIELD_UNITS, UNIT_RULES } from "./units.ts";

/** `+` stands for one whole level, `#` for all levels at the end. */
const TopicFilter = z
  .string()
  .max(512)
  .regex(/^(\+|[^+#/]*)(\/(\+|[^+#/]*))*(\/#)?$|^#$/, "an MQTT topic, + or # only as whole levels, # last")
  .min(1);

const hasWildcard = (topic: string) => /[+#]/.test(topic);

const Point = z
  .strictObject({
    ...pointShape,
    topic: TopicFilter,
    /** JSON pointer (RFC 6901) to the number in a JSON payload; without it the payload is a number. */
    pointer: z
      .string()
      .regex(/^(\/[^/]+)+$/, "a JSON pointer, such as /sensors/0/value")
      .optional(),
  })
  .superRefine(fieldFitsUnit)
  .superRefine(({ field, unit, topic }, ctx) => {
    const { kind } = UNIT_RULES[unit ?? FIELD_UNITS[field].unit];
    if (kind === "delta") {
      // A message that is lost, or two between two reads, would be energy that was never used.
      ctx.addIssue({ code: "custom", path: ["unit"], message: "a power, or a counter such as joule" });
    }
    if (kind === "counter" && hasWildcard(topic)) {
      // Counters of several publishers do not grow at the same instants: their sum has no rate.
      const message = "no wildcards where the unit is that of a counter";
      ctx.addIssue({ code: "custom", path: ["topic"], message });
    }
  });

/** Readings that others publish on a broker, this site's or another. */
export const MqttSensor = z.strictObject({
  driver: z.literal("mqtt"),
  ...sensorShape,
  url: z
    .url({ protocol: /^(mqtts?|wss?)$/, error: "an mqtt://, mqtts://, ws:// or wss:// URL" })
    .refine((url) => !/^\w+:\/\/[^/]*@/.test(url), "no credentials in the URL"),
  username: z.string().min(1).optional(),
  password: Secret.optional(),
  /** Certificate authorities (PEM) to trust instead of the system's. */
  ca_file: z.string().min(1).optional(),
  /** How often the sensors publish; their last word counts for three times as long. */
  every_s: z.number().positive().max(3_600).default(10),
  points: z.array(Point).min(1),
});
export type MqttSensor = z.infer<typeof MqttSensor>;
