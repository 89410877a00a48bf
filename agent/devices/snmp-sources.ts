import type { CommonPoint } from "../../shared/contracts/devices/common.ts";
import type { SnmpSensor } from "../../shared/contracts/devices/snmp.ts";
import { SNMP_PROFILES, type SnmpTable } from "./profiles/snmp.ts";
import { plainOid } from "./snmp.ts";

/** A point with where its values come from: objects by name, or rows of a table (all of them where none is named). */
export interface SnmpSource extends CommonPoint {
  objects: readonly string[] | (SnmpTable & { instances: readonly string[] | undefined });
  no_value: readonly number[];
}

/** All points of a sensor: first those of its profile, then its own. */
export function snmpSources(config: SnmpSensor): SnmpSource[] {
  return [...profileSources(config), ...ownSources(config)];
}

function profileSources({ profile, power, inlet_probes, outlet_probes }: SnmpSensor): SnmpSource[] {
  if (!profile) return [];
  const { power: power_table, temperature, total, probe_prefix } = SNMP_PROFILES[profile];
  const { unit, ...watts } = power_table;
  const probe = (instance: number | string) =>
    typeof instance === "number" ? `${probe_prefix}${instance}` : instance;
  const sources = [
    tableSource({ field: "pdu_kw", unit }, watts, power?.map(String) ?? total),
    tableSource({ field: "inlet_c", unit: "celsius" }, temperature, inlet_probes.map(probe)),
    tableSource({ field: "outlet_c", unit: "celsius" }, temperature, outlet_probes.map(probe)),
  ];
  return sources.filter(({ objects }) => "instances" in objects && objects.instances?.length !== 0);
}

function tableSource(
  point: Pick<CommonPoint, "field" | "unit">,
  table: SnmpTable,
  instances: readonly string[],
): SnmpSource {
  const { scale = 1, no_value = [] } = table;
  return { ...point, scale, offset: 0, no_value, objects: { ...table, instances } };
}

function ownSources({ points, no_value }: SnmpSensor): SnmpSource[] {
  return points.map(({ oid, oids, column, instances, digits, no_value: own, ...point }) => ({
    ...point,
    no_value: [...no_value, ...own],
    objects:
      column === undefined
        ? (oids ?? [oid!]).map(plainOid)
        : {
            column: plainOid(column),
            instances: instances?.map(String),
            ...(digits === undefined ? {} : { digits: plainOid(digits) }),
          },
  }));
}
