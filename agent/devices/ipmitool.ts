import type { IpmiConnection } from "../../shared/contracts/devices/ipmi.ts";
import { runCommand } from "./command.ts";
import { revealSecret } from "./secret.ts";

/** Runs ipmitool against one management controller. */
export type Ipmitool = (args: readonly string[], signal: AbortSignal) => Promise<string>;

/**
 * The password goes by the environment, never by the command line, which every user of the machine can list.
 *
 * @throws SkadiError SKADI_BAD_CONFIG when the password's file or variable is missing
 */
export function ipmitool(connection: IpmiConnection): Ipmitool {
  const { host, port, username, password, cipher_suite, privilege } = connection;
  if (host === undefined) return (args, signal) => runCommand(["ipmitool", "-I", "open", ...args], signal);
  const network = ["-I", connection.interface, "-H", host, "-p", String(port), "-L", privilege.toUpperCase()];
  const user = username === undefined ? [] : ["-U", username];
  const suite = cipher_suite === undefined ? [] : ["-C", String(cipher_suite)];
  const secret = password === undefined ? "" : revealSecret(password);
  const command = ["ipmitool", ...network, ...user, ...suite, "-E"];
  // The second name goes before the first in ipmitool; an inherited one must not win.
  const env = { IPMI_PASSWORD: secret, IPMITOOL_PASSWORD: secret };
  return (args, signal) => runCommand([...command, ...args], signal, env);
}

/** What one sensor says; null: it is not there, disabled or does not answer. */
export interface IpmiReading {
  name: string;
  value: number | null;
  /** As ipmitool names it, such as `degrees C`. */
  unit: string;
}

/**
 * What `ipmitool -c sdr list` prints: `name,value,unit,status` for each sensor. A sensor in a critical state (cr, nr)
 * still measures; one of status ns does not. Discrete sensors have three columns and no number.
 */
export function parseSensorList(text: string): IpmiReading[] {
  return text.split("\n").flatMap((line) => {
    const columns = /^(.+),([^,]*),([^,]*),([^,]*)$/.exec(line.trim());
    if (!columns) return [];
    const [, name = "", number = "", unit = "", status] = columns;
    const measured = /^-?\d+(\.\d+)?$/.test(number) && status !== "ns" && status !== "na";
    return [{ name, value: measured ? Number(number) : null, unit }];
  });
}

/** What `ipmitool dcmi power reading` prints, in W; null where the controller measures nothing. */
export function parseDcmiPower(text: string): number | null {
  const watts = /Instantaneous power reading:\s*(\d+) Watts/.exec(text)?.[1];
  const activated = /Power reading state is:\s*activated/.test(text);
  return watts === undefined || !activated ? null : Number(watts);
}

/** What `ipmitool raw` prints: bytes in hexadecimal. */
export function parseRawAnswer(text: string): number[] {
  return text
    .trim()
    .split(/\s+/)
    .filter((byte) => /^[0-9a-f]{2}$/i.test(byte))
    .map((byte) => Number.parseInt(byte, 16));
}
