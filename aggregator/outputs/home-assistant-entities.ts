import { upTopic } from "../../shared/contracts/topics.ts";

/** One retained discovery message. */
export interface Discovery {
  topic: string;
  config: Record<string, unknown>;
}

export interface DiscoveryContext {
  site: string;
  /** Home Assistant's own: homeassistant, unless it was told otherwise. */
  prefix: string;
  version: string;
  /** How often the site's figures are published. */
  interval_s: number;
}

/** Of a rack's telemetry: name, device class, unit, field. */
const READINGS = [
  ["Inlet", "temperature", "°C", "inlet_c"],
  ["Outlet", "temperature", "°C", "outlet_c"],
  ["Power", "power", "kW", "pdu_kw"],
  ["Tokens", null, "tokens/s", "tokens_ps"],
  ["Latency p95", "duration", "ms", "latency_p95_ms"],
  ["Queue", null, "requests", "queue_depth"],
  ["Fans", null, "%", "fan_rpm_pct"],
  ["Pump", null, "%", "pump_rpm_pct"],
] as const;

/** Of the site's figures, as `siteState` has them. */
const FIGURES = [
  ["Power", "power", "kW", "pdu_kw"],
  ["Energy per prompt", null, "Wh", "wh_per_prompt"],
  ["Inlets within their limit", null, "%", "inlet_compliance_pct"],
  ["Latency p95", "duration", "ms", "latency_p95_ms"],
  ["Racks persistent", null, "racks", "persistent"],
  ["Open incidents", null, "incidents", "incidents"],
] as const;

/** Older than this a reading is unavailable rather than old. */
const RACK_EXPIRES_S = 120;

export const siteStateTopic = ({ site, prefix }: DiscoveryContext) => `${prefix}/sensor/skadi_${site}/state`;
export const rackStateTopic = ({ site, prefix }: DiscoveryContext, rack_id: string) =>
  `${prefix}/binary_sensor/skadi_${site}_${rack_id}/state`;

/**
 * Discovery of a rack (home-assistant.io/integrations/mqtt, "MQTT Discovery"). Readings and availability come from the
 * agent's own topics, so that nothing is published twice. Nothing can be switched: there are sensors only.
 */
export function rackDiscovery(context: DiscoveryContext, rack_id: string): Discovery[] {
  const { site } = context;
  const node = `skadi_${site}_${rack_id}`;
  const availability = {
    availability_topic: upTopic(site, rack_id, "status"),
    availability_template: "{{ value_json.state }}",
    payload_available: "online",
    payload_not_available: "offline",
  };
  const device = {
    identifiers: [node],
    name: `Rack ${rack_id}`,
    manufacturer: "Skadi",
    model: "rack",
    via_device: `skadi_${site}`,
  };
  const entity = (component: string, name: string, object: string, config: object): Discovery => ({
    topic: `${context.prefix}/${component}/${node}/${object}/config`,
    config: { name, unique_id: `${node}_${object}`, ...config, ...availability, device, ...origin(context) },
  });
  return [
    ...READINGS.map(([name, device_class, unit, field]) =>
      entity("sensor", name, field, {
        state_topic: upTopic(site, rack_id, "telemetry"),
        ...measurement(device_class, unit, field),
        expire_after: RACK_EXPIRES_S,
      }),
    ),
    entity("sensor", "Deviation", "d", {
      state_topic: upTopic(site, rack_id, "score"),
      value_template: "{{ value_json.d }}",
      state_class: "measurement",
      expire_after: RACK_EXPIRES_S,
    }),
    entity("binary_sensor", "Persistent deviation", "persistent", {
      state_topic: rackStateTopic(context, rack_id),
      value_template: "{{ 'ON' if value_json.persistent else 'OFF' }}",
      device_class: "problem",
    }),
  ];
}

export function siteDiscovery(context: DiscoveryContext): Discovery[] {
  const node = `skadi_${context.site}`;
  const device = { identifiers: [node], name: `Skadi ${context.site}`, manufacturer: "Skadi", model: "site" };
  return FIGURES.map(([name, device_class, unit, field]) => ({
    topic: `${context.prefix}/sensor/${node}/${field}/config`,
    config: {
      name,
      unique_id: `${node}_${field}`,
      state_topic: siteStateTopic(context),
      ...measurement(device_class, unit, field),
      // The aggregator has no last will: its silence says the same.
      expire_after: Math.ceil(3 * context.interval_s),
      device,
      ...origin(context),
    },
  }));
}

function measurement(device_class: string | null, unit_of_measurement: string, field: string) {
  return {
    value_template: `{{ value_json.${field} }}`,
    ...(device_class && { device_class }),
    unit_of_measurement,
    state_class: "measurement",
  };
}

function origin({ version }: DiscoveryContext) {
  return { origin: { name: "skadi", sw_version: version } };
}
