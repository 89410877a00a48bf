import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { HwmonDrive } from "../../shared/contracts/devices/hwmon.ts";
import { skadiError } from "../../shared/errors.ts";
import { nameFits } from "../devices/glob.ts";
import { chipFits, hwmonChips, numberOf } from "../devices/hwmon.ts";
import type { DriveDevice } from "./drive.ts";

/** pwm_enable: 0 is no control at all, full speed; 1 is by hand; all others are the chip's own ways. */
const FULL_SPEED = 0;
const BY_HAND = 1;
const PWM_MAX = 255;

/** Drives the fans that the kernel can drive, in percent of the full duty cycle. */
export function hwmonDrive({ name, root, targets }: HwmonDrive): DriveDevice {
  const driven = new Map(targets.map((target) => [target.target, target]));

  const outputsOf = async (address: (typeof targets)[number]) => {
    const isIt = nameFits(address.pwm);
    const chips = (await hwmonChips(root)).filter(chipFits(address));
    const outputs = chips.flatMap(({ folder, files }) =>
      files.filter((file) => /^pwm\d+$/.test(file) && isIt(file)).map((file) => join(folder, file)),
    );
    if (outputs.length > 0) return outputs;
    const expected = `an output ${address.pwm} of a chip ${address.chip} (below ${root})`;
    throw skadiError("SKADI_DRIVER", { field: address.target, value: "none", expected });
  };
  return {
    name,
    targets: [...driven.keys()],
    open: async () => {},
    /** Of several outputs the slowest that is driven by hand. */
    async read(target) {
      const speeds = await Promise.all((await outputsOf(driven.get(target)!)).map(speedOf));
      const by_hand = speeds.filter((speed) => speed !== null);
      return by_hand.length === 0 ? null : Math.min(...by_hand);
    },
    async write(target, value, signal) {
      const address = driven.get(target)!;
      for (const output of await outputsOf(address)) {
        // Between outputs, not within: by hand and without a speed of its own an output may stand at any.
        signal.throwIfAborted();
        if (value === null) {
          await writeFile(`${output}_enable`, String(address.automatic));
          continue;
        }
        // The chip refuses or overwrites a speed while it is in control.
        await writeFile(`${output}_enable`, String(BY_HAND));
        await writeFile(output, String(Math.round((value * PWM_MAX) / 100)));
      }
    },
    close: async () => {},
  };
}

/** In percent; null: the chip's own control. */
async function speedOf(output: string): Promise<number | null> {
  const [enable, pwm] = [await numberOf(`${output}_enable`), await numberOf(output)];
  if (enable === FULL_SPEED) return 100;
  if (enable !== null && enable !== BY_HAND) return null;
  if (pwm !== null) return (pwm * 100) / PWM_MAX;
  throw skadiError("SKADI_DRIVER", { field: output, value: null, expected: `0 to ${PWM_MAX}` });
}
