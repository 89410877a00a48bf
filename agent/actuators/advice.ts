import type { Action, RackTarget } from "../../shared/contracts/action.ts";

const REPEAT_MS = 600_000;

/**
 * In advisory mode nothing changes, so the guardrail would give the same advice every minute. Tells whether an
 * advice is new: not given for this target within the last ten minutes.
 */
export function adviceFilter(): (now_ms: number, kind: Action["kind"], target: RackTarget) => boolean {
  const given = new Map<string, number>();
  return (now_ms, kind, target) => {
    const key = `${kind}/${target}`;
    const last = given.get(key);
    if (last !== undefined && now_ms - last < REPEAT_MS) return false;
    given.set(key, now_ms);
    return true;
  };
}
