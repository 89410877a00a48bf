import { Command } from "../shared/contracts/messages.ts";
import { type Parsed, parsePayload } from "../shared/contracts/parse.ts";
import { type Rejection, reject } from "../shared/errors.ts";
import { verifyMessage } from "../shared/signing.ts";
import type { TrustedKeys } from "./models/trust.ts";

/** How far apart the clocks of agent and aggregator may be before commands are taken for expired. */
const CLOCK_SKEW_MS = 30_000;

export interface CommandGateOptions {
  rack_id: string;
  /** Those of the site as of now, any of which may have signed; with none, all commands are refused. */
  keys(): TrustedKeys;
  wall_ms(): number;
}

/**
 * Lets a command through only if it is well-formed, signed by a key of the site, meant for this rack, fresh, and
 * newer than every command before it.
 */
export function commandGate(options: CommandGateOptions): (payload: Uint8Array) => Parsed<Command> {
  let counter = 0;
  return (payload) => {
    const parsed = parsePayload(Command, payload);
    if (!parsed.ok) return parsed;
    const command = parsed.value;
    const wrong =
      wrongSignature(payload, options.keys()) ??
      wrongRack(command, options.rack_id) ??
      expired(command, options.wall_ms()) ??
      repeated(command, counter);
    if (wrong) return { ok: false, rejections: [wrong] };
    counter = command.counter;
    return { ok: true, value: command };
  };
}

function wrongSignature(payload: Uint8Array, keys: TrustedKeys): Rejection | undefined {
  if (keys.size === 0) {
    const expected = "the site's public key in the agent's configuration";
    return reject("SKADI_BAD_SIGNATURE", { field: "trust.public_key_file", expected });
  }
  // As it came from the wire: a field that this reader does not know is signed too.
  const message = JSON.parse(Buffer.from(payload).toString("utf8")) as { signature?: string };
  if ([...keys.values()].some((key) => verifyMessage(message, key))) return undefined;
  return reject("SKADI_BAD_SIGNATURE", { field: "signature", expected: "a signature of this site's key" });
}

function wrongRack(command: Command, rack_id: string): Rejection | undefined {
  if (command.rack_id === rack_id) return undefined;
  return reject("SKADI_RACK_MISMATCH", { field: "rack_id", value: command.rack_id, expected: rack_id });
}

function expired(command: Command, now_ms: number): Rejection | undefined {
  if (Date.parse(command.expires_at) + CLOCK_SKEW_MS >= now_ms) return undefined;
  return reject("SKADI_STALE_MESSAGE", {
    field: "expires_at",
    value: command.expires_at,
    expected: "an instant to come",
  });
}

function repeated(command: Command, counter: number): Rejection | undefined {
  if (command.counter > counter) return undefined;
  return reject("SKADI_STALE_MESSAGE", {
    field: "counter",
    value: command.counter,
    expected: `above ${counter}`,
  });
}
