import type { Action, Target } from "../../shared/contracts/action.ts";

/** What is known of the devices' setpoints, from the actions that went by. */
export interface Setpoints {
  observe(action: Action): void;
  /** The value last applied; null for the device's own control, which is also where it starts. */
  value(rack_id: string | null, target: Target): number | null;
  /** When the device was last changed, or was last advised to be; −∞ if never. */
  changedMs(rack_id: string | null, target: Target): number;
  /** When a change of the device was last really applied; −∞ if never. */
  appliedMs(rack_id: string | null, target: Target): number;
  /** When a setpoint last left from here for the device, whatever became of it; −∞ if never. */
  sentMs(rack_id: string | null, target: Target): number;
  /** The action that was applied last to each device, the newest last. */
  applied(): Action[];
  /** The optimizer's last change of each device where no agent has answered it, nor set the device since. */
  unanswered(): Action[];
}

export function trackSetpoints(history: readonly Action[]): Setpoints {
  const applied = new Map<string, Action>();
  const unanswered = new Map<string, Action>();
  const changed_ms = new Map<string, number>();
  const sent_ms = new Map<string, number>();
  const key = (rack_id: string | null, target: Target) => `${rack_id}/${target}`;
  const observe = (action: Action) => {
    const device = key(action.rack_id, action.target);
    if (action.outcome === "applied") setLast(applied, device, action);
    if (action.outcome === "sent" && action.kind === "optimize") setLast(unanswered, device, action);
    else if (settles(action, unanswered.get(device))) unanswered.delete(device);
    const left = action.outcome === "sent" || (action.outcome === "applied" && action.source !== "guardrail");
    if (left) rise(sent_ms, device, Date.parse(action.ts));
    // Advice counts for the optimizer only: a guardrail that merely advises has left the device alone.
    const touched =
      action.outcome === "applied" || action.outcome === "sent" || action.source === "optimizer";
    if (!touched || action.outcome === "refused") return;
    rise(changed_ms, device, Date.parse(action.ts));
  };
  for (const action of history) observe(action);
  return {
    observe,
    value: (rack_id, target) => applied.get(key(rack_id, target))?.to ?? null,
    changedMs: (rack_id, target) => changed_ms.get(key(rack_id, target)) ?? Number.NEGATIVE_INFINITY,
    sentMs: (rack_id, target) => sent_ms.get(key(rack_id, target)) ?? Number.NEGATIVE_INFINITY,
    appliedMs(rack_id, target) {
      const last = applied.get(key(rack_id, target));
      return last ? Date.parse(last.ts) : Number.NEGATIVE_INFINITY;
    },
    applied: () => [...applied.values()],
    unanswered: () => [...unanswered.values()],
  };
}

/** Whether this action is the answer to what was sent to its device, or makes it meaningless. */
function settles(action: Action, sent: Action | undefined): boolean {
  if (!sent || action.id === sent.id) return sent !== undefined;
  return action.outcome === "applied" && Date.parse(action.ts) >= Date.parse(sent.ts);
}

function setLast(actions: Map<string, Action>, device: string, action: Action): void {
  actions.delete(device);
  actions.set(device, action);
}

/** What changes fan or pump on purpose, and how long the rack takes to settle after. */
const COOLING_TARGETS = ["fan_rpm_pct", "pump_rpm_pct"] as const;
const SETTLE_MS = 600_000;

/** Whether the rack's cooling is driven by a command, or was until shortly before. */
export function isCommanded(setpoints: Setpoints, rack_id: string, now_ms: number): boolean {
  return COOLING_TARGETS.some(
    (target) =>
      setpoints.value(rack_id, target) !== null || now_ms - setpoints.appliedMs(rack_id, target) < SETTLE_MS,
  );
}

function rise(instants: Map<string, number>, device: string, at_ms: number): void {
  instants.set(device, Math.max(at_ms, instants.get(device) ?? Number.NEGATIVE_INFINITY));
}
