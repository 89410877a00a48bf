import type { Parsed } from "../../shared/contracts/parse.ts";
import { reject } from "../../shared/errors.ts";
import type { Fleet, Rack } from "../fleet.ts";

/**
 * The rack that a payload speaks of: one of this site's, and the one whose topic it came on.
 *
 * @param topic_rack null where the payload did not come by MQTT
 */
export function findRack(fleet: Fleet, rack_id: string | null, topic_rack: string | null): Parsed<Rack> {
  if (topic_rack !== null && rack_id !== topic_rack) {
    const detail = { field: "rack_id", value: rack_id ?? "null", expected: topic_rack };
    return { ok: false, rejections: [reject("SKADI_RACK_MISMATCH", detail)] };
  }
  const rack = rack_id === null ? undefined : fleet.get(rack_id);
  if (rack) return { ok: true, value: rack };
  const expected = `a rack of this site (${fleet.racks[0]?.rack_id} … ${fleet.racks.at(-1)?.rack_id})`;
  return {
    ok: false,
    rejections: [reject("SKADI_UNKNOWN_RACK", { field: "rack_id", value: rack_id, expected })],
  };
}
