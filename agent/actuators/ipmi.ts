import type { RackTarget } from "../../shared/contracts/action.ts";
import type { IpmiDrive, IpmiDriven } from "../../shared/contracts/devices/ipmi.ts";
import { skadiError } from "../../shared/errors.ts";
import type { Log } from "../../shared/log.ts";
import { ipmitool, parseRawAnswer } from "../devices/ipmitool.ts";
import type { DriveDevice } from "./drive.ts";

/**
 * Drives a management controller by raw commands. Where it has none that tells the value in force, what it last took
 * without complaint counts, and before that its own control: the worst that an unknown value leads to is a write.
 */
export function ipmiDrive(config: IpmiDrive, log: Log): DriveDevice {
  const driven = new Map(config.targets.map((target) => [target.target, target]));
  const taken = new Map<RackTarget, number | null>();
  let run = (_args: readonly string[], _signal: AbortSignal) => Promise.resolve("");

  const raw = async (bytes: string, signal: AbortSignal) =>
    parseRawAnswer(await run(["raw", ...bytes.split(" ")], signal));
  const byteOf = async ({ bytes, byte }: { bytes: string; byte: number }, signal: AbortSignal) => {
    const answer = await raw(bytes, signal);
    const value = answer[byte];
    if (value !== undefined) return value;
    const expected = `an answer of at least ${byte + 1} bytes`;
    throw skadiError("SKADI_DRIVER", { field: `raw ${bytes}`, value: `${answer.length} bytes`, expected });
  };
  const handBack = async (target: RackTarget, auto: readonly string[], signal: AbortSignal) => {
    try {
      for (const bytes of auto) await raw(bytes, signal);
      taken.set(target, null);
    } catch (error) {
      log.warn({ event: "hand_back_failed", device: config.name, target, reason: String(error) });
    }
  };
  return {
    name: config.name,
    targets: [...driven.keys()],
    async open() {
      run = ipmitool(config);
    },
    async read(target, signal) {
      const { get, get_mode, scale, offset } = driven.get(target)!;
      if (get_mode && !get_mode.manual.includes(await byteOf(get_mode, signal))) return null;
      // At least it must be there.
      if (!get && !get_mode) await run(["mc", "info"], signal);
      const last = taken.get(target) ?? null;
      // Where no command tells the mode, the byte means nothing while the controller is in control.
      if (!get || (!get_mode && last === null)) return last;
      return ((await byteOf(get, signal)) - offset) / scale;
    },
    async write(target, value, signal) {
      const { set, auto, ...how } = driven.get(target)!;
      const commands = value === null ? auto : set.map((bytes) => filled(bytes, byteFor(how, value)));
      try {
        for (const bytes of commands) await raw(bytes, signal);
        taken.set(target, value);
      } catch (error) {
        // Half set, the fans may stand at any speed; the controller's own control is safe.
        if (value !== null && !signal.aborted) await handBack(target, auto, signal);
        throw error;
      }
    },
    close: async () => {},
  };
}

const filled = (bytes: string, byte: number) => bytes.replaceAll("{value}", String(byte));

/** @throws SkadiError SKADI_LIMIT when the scaled value is no byte that the controller takes */
function byteFor(
  { target, scale, offset, byte_max }: Pick<IpmiDriven, "target" | "scale" | "offset" | "byte_max">,
  value: number,
): number {
  const byte = Math.round(value * scale + offset);
  if (byte >= 0 && byte <= byte_max) return byte;
  throw skadiError("SKADI_LIMIT", { field: target, value: byte, expected: `a byte from 0 to ${byte_max}` });
}
