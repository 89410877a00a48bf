import { type SimulatorCommand, SimulatorStatus } from "../../shared/contracts/messages.ts";
import { parsePayload } from "../../shared/contracts/parse.ts";
import { simulatorCommandTopic } from "../../shared/contracts/topics.ts";
import { skadiError } from "../../shared/errors.ts";
import type { EventBus } from "../events.ts";
import type { Rejections } from "../ingest/rejections.ts";

export interface SimulatorLink {
  /** What a connected simulator last said of itself; null if none is connected. */
  status(): SimulatorStatus | null;
  onStatus(payload: Uint8Array): void;
  /**
   * Asks the simulator to start (for `duration_s`) or stop a scenario; returns its own name for it.
   *
   * @throws SkadiError SKADI_NO_SIMULATOR or SKADI_INVALID_FIELD
   */
  play(scenario: string, duration_s: number | null): string;
  /** Sets, or renews, the simulated site's supply air, null for its own; false where no simulator is connected. */
  setSupply(supply_c: number | null): boolean;
}

interface SimulatorContext {
  site: string;
  events: EventBus;
  rejections: Rejections;
  publish: (topic: string, message: object) => void;
}

export function simulatorLink(context: SimulatorContext): SimulatorLink {
  let status: SimulatorStatus | null = null;
  return {
    status: () => status,
    onStatus(payload) {
      if (payload.byteLength === 0) {
        status = null;
        return;
      }
      const parsed = parsePayload(SimulatorStatus, payload);
      if (parsed.ok) status = parsed.value.online ? parsed.value : null;
      else context.rejections.record("sim", "status", parsed.rejections);
    },
    play(scenario, duration_s) {
      if (!status) throw skadiError("SKADI_NO_SIMULATOR");
      const known = status.scenarios.find((s) => s.name === scenario || s.aliases.includes(scenario));
      if (!known) {
        const names = status.scenarios.flatMap((s) => [s.name, ...s.aliases]);
        const expected = `one of ${names.join(", ")}`;
        throw skadiError("SKADI_INVALID_FIELD", { field: "scenario", value: scenario, expected });
      }
      const command: SimulatorCommand =
        duration_s === null
          ? { v: 1, kind: "stop", scenario: known.name }
          : { v: 1, kind: "start", scenario: known.name, duration_s };
      context.publish(simulatorCommandTopic(context.site), command);
      context.events.publish("scenario", null, { ...command });
      return known.name;
    },
    setSupply(supply_c) {
      if (!status) return false;
      const command: SimulatorCommand = { v: 1, kind: "supply", supply_c };
      context.publish(simulatorCommandTopic(context.site), command);
      return true;
    },
  };
}
