import type { ExecDrive } from "../../shared/contracts/devices/exec.ts";
import { skadiError } from "../../shared/errors.ts";
import { runCommand } from "../devices/command.ts";
import type { DriveDevice } from "./drive.ts";

/** Runs a command with `get <target>` or `set <target> <value|auto>`. */
export function execDrive({ name, command, targets }: ExecDrive): DriveDevice {
  return {
    name,
    targets: targets.map(({ target }) => target),
    open: async () => {},
    async read(target, signal) {
      const printed = (await runCommand([...command, "get", target], signal)).trim();
      if (printed === "auto") return null;
      const value = Number(printed);
      if (printed !== "" && Number.isFinite(value)) return value;
      throw skadiError("SKADI_DRIVER", { field: target, value: printed, expected: "a number, or auto" });
    },
    async write(target, value, signal) {
      await runCommand([...command, "set", target, value === null ? "auto" : String(value)], signal);
    },
    close: async () => {},
  };
}
