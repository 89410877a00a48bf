import type { Problem } from "./messages.ts";

export type Json = Record<string, unknown>;

/** One resource of the service: how it reads, and what a PATCH does where one is allowed. */
export interface Resource {
  read(): Json;
  patch?(body: Json): Problem[];
}

export const ROOT = "/redfish/v1";
export const CHASSIS = `${ROOT}/Chassis/1`;
export const CDU = `${ROOT}/ThermalEquipment/CDUs/1`;

export const OK = { State: "Enabled", Health: "OK" };
const LOST = { State: "UnavailableOffline", Health: "Critical" };

/** The service's resources by path, as they are added. */
export interface ResourceTree {
  readonly resources: Map<string, Resource>;
  add(path: string, type: string, name: string, read: () => Json, patch?: Resource["patch"]): void;
  /** A collection of the given schema. */
  collect(path: string, type: string, members: readonly string[]): void;
}

export function resourceTree(): ResourceTree {
  const resources = new Map<string, Resource>();
  return {
    resources,
    add(path, type, name, read, patch) {
      const head = { "@odata.id": path, "@odata.type": type, Id: path.split("/").at(-1), Name: name };
      resources.set(path, { read: () => ({ ...head, ...read() }), ...(patch ? { patch } : {}) });
    },
    collect(path, type, members) {
      const Members = members.map((member) => link(`${path}/${member}`));
      const head = { "@odata.id": path, "@odata.type": `#${type}Collection.${type}Collection` };
      resources.set(path, {
        read: () => ({
          ...head,
          Name: `${type} Collection`,
          "Members@odata.count": Members.length,
          Members,
        }),
      });
    },
  };
}

export function link(path: string) {
  return { "@odata.id": path };
}

export function links(path: string, names: readonly string[]): Json {
  return Object.fromEntries(names.map((name) => [name, link(`${path}/${name}`)]));
}

export function statusOfValue(value: number | null) {
  return value === null ? LOST : OK;
}

/** A sensor's excerpt, as resources embed it. */
export function excerpt(value: number | null, sensor: string, decimals = 1): Json {
  return { Reading: rounded(value, decimals), DataSourceUri: `${CHASSIS}/Sensors/${sensor}` };
}

export function rounded(value: number | null, decimals = 1): number | null {
  return value === null ? null : Math.round(value * 10 ** decimals) / 10 ** decimals;
}

/** Speed in rpm of what turns at `full_rpm` at 100 %. */
export function rpm(speed_pct: number | null, full_rpm: number): number | null {
  return speed_pct === null ? null : Math.round((speed_pct / 100) * full_rpm);
}

/** Descends into the one property that may be changed. */
export function nested(body: unknown, name: string, apply: (value: unknown) => Problem[]): Problem[] {
  if (typeof body !== "object" || body === null) return [{ id: "PropertyValueTypeError", property: name }];
  const strangers = Object.keys(body).filter((key) => key !== name);
  if (strangers.length > 0) return strangers.map((property) => ({ id: "PropertyUnknown", property }));
  if (!(name in body)) return [{ id: "PropertyMissing", property: name }];
  return apply((body as Json)[name]);
}
