import { ObjectType } from "net-snmp";
import type { RackTarget } from "../../shared/contracts/action.ts";
import type { SnmpDrive } from "../../shared/contracts/devices/snmp.ts";
import { skadiError } from "../../shared/errors.ts";
import { plainOid, type SnmpAnswer, snmpClient } from "../devices/snmp.ts";
import { numberOf } from "../devices/snmp-values.ts";
import type { DriveDevice } from "./drive.ts";
import { fromRaw, toRaw } from "./raw.ts";

type Target = SnmpDrive["targets"][number];

const ASN_TYPES = {
  integer: { type: ObjectType.Integer, min: -(2 ** 31), max: 2 ** 31 - 1 },
  gauge32: { type: ObjectType.Gauge, min: 0, max: 2 ** 32 - 1 },
  unsigned32: { type: ObjectType.Gauge, min: 0, max: 2 ** 32 - 1 },
} as const;

/** Drives by SNMP SET. Mode and setpoint go out in one request, so that the device never has one without the other. */
export function snmpDrive(config: SnmpDrive): DriveDevice {
  const client = snmpClient(config);
  const targetOf = (target: RackTarget): Target => config.targets.find((t) => t.target === target)!;

  return {
    name: config.name,
    targets: config.targets.map(({ target }) => target),
    without_own_control: config.targets.filter(({ auto }) => !auto).map(({ target }) => target),
    open: async () => {},
    async read(target, signal) {
      const { auto, oid, read_oid = oid, ...scale } = targetOf(target);
      const asked = [read_oid, ...(auto ? [auto.oid] : [])].map(plainOid);
      const [setpoint, mode] = await client.get(asked, signal);
      if (auto) {
        const told = told_number(target, mode);
        if (told === auto.automatic) return null;
        if (told !== auto.manual) {
          const expected = `${auto.automatic} (automatic) or ${auto.manual} (manual) at ${auto.oid}`;
          throw skadiError("SKADI_DRIVER", { field: target, value: told, expected });
        }
      }
      return fromRaw(scale, told_number(target, setpoint));
    },
    async write(target, value, signal) {
      const { auto, oid, type, ...scale } = targetOf(target);
      const mode = (to: number) => ({ oid: plainOid(auto!.oid), type: ObjectType.Integer, value: to });
      if (value === null) {
        if (auto) return client.set([mode(auto.automatic)], signal);
        throw skadiError("SKADI_DRIVER", {
          field: target,
          value,
          expected: "auto, in the drive's configuration",
        });
      }
      const { type: asn_type, min, max } = ASN_TYPES[type];
      const raw = Math.round(toRaw(scale, value));
      if (!(raw >= min && raw <= max)) {
        throw skadiError("SKADI_LIMIT", {
          field: target,
          value: raw,
          expected: `${min} to ${max} (${type})`,
        });
      }
      const setpoint = { oid: plainOid(oid), type: asn_type, value: raw };
      await client.set(auto ? [mode(auto.manual), setpoint] : [setpoint], signal);
    },
    async close() {
      client.close();
    },
  };
}

function told_number(target: RackTarget, answer: SnmpAnswer | undefined): number {
  const value = answer?.object ? numberOf(answer.object) : null;
  if (value !== null) return value;
  const told = answer?.object ? `no number at ${answer.object.oid}` : answer?.reason;
  throw skadiError("SKADI_DRIVER", { field: target, expected: `a number (${told})` });
}
