import type { RedfishSource } from "../../shared/contracts/devices/redfish.ts";
import { follow, stepsOf } from "./json-pointer.ts";

/** One number of a resource. */
export interface RedfishValue {
  value: number | null;
  suspect: boolean;
  /** When the sensor was read, in milliseconds of the device's clock. */
  read_ms: number | undefined;
}

/**
 * The numbers that a source stands for in one resource.
 *
 * @returns undefined when the resource has no such property: another source may
 */
export function valuesIn(body: unknown, { pointer, select }: RedfishSource): RedfishValue[] | undefined {
  if (pointer !== undefined) {
    const { value, way } = follow(body, stepsOf(pointer));
    return value === undefined ? undefined : [measuredAt(value, way)];
  }
  if (!select) return undefined;
  const list = follow(body, stepsOf(select.array));
  if (!Array.isArray(list.value)) return undefined;
  const values = list.value.flatMap((item) => {
    const wanted = Object.entries(select.where).every(([name, pattern]) =>
      matches(follow(item, stepsOf(name)).value, pattern),
    );
    if (!wanted) return [];
    const { value, way } = follow(item, stepsOf(select.value));
    return value === undefined ? [] : [measuredAt(value, [...list.way, ...way])];
  });
  return values.length > 0 ? values : undefined;
}

/** The resources that a collection names; links that leave the device are not its members. */
export function membersOf(body: unknown): string[] | undefined {
  const members = follow(body, ["Members"]).value;
  if (!Array.isArray(members)) return undefined;
  return members.flatMap((member) => {
    const uri = follow(member, ["@odata.id"]).value;
    return typeof uri === "string" && /^\/(?!\/)/.test(uri) ? [uri] : [];
  });
}

function matches(value: unknown, pattern: string): boolean {
  const parts = pattern.split("*").map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${parts.join(".*")}$`, "is").test(String(value));
}

function measuredAt(value: unknown, way: readonly unknown[]): RedfishValue {
  const described = way.findLast((part) => isObject(follow(part, ["Status"]).value));
  const state = follow(described, ["Status", "State"]).value;
  const health = follow(described, ["Status", "Health"]).value;
  const present = (state === undefined || state === null || state === "Enabled") && typeof value === "number";
  return {
    value: present ? value : null,
    suspect: present && health === "Critical" && !explains(described, value),
    read_ms: readTime(way),
  };
}

/** A healthy sensor is Critical too while what it measures is beyond a threshold: then it is to be believed. */
function explains(sensor: unknown, value: number): boolean {
  const beyond = (path: readonly string[], side: 1 | -1) => {
    const limit = follow(sensor, path).value;
    return typeof limit === "number" && (value - limit) * side >= 0;
  };
  return ["NonCritical", "Caution", "Critical", "Fatal"].some(
    (grade) =>
      beyond([`UpperThreshold${grade}`], 1) ||
      beyond([`LowerThreshold${grade}`], -1) ||
      beyond(["Thresholds", `Upper${grade}`, "Reading"], 1) ||
      beyond(["Thresholds", `Lower${grade}`, "Reading"], -1),
  );
}

function readTime(way: readonly unknown[]): number | undefined {
  const text = way
    .map((part) => follow(part, ["ReadingTime"]).value)
    .findLast((time) => typeof time === "string");
  const ms = text === undefined ? Number.NaN : Date.parse(text);
  return Number.isNaN(ms) ? undefined : ms;
}

function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null;
}
