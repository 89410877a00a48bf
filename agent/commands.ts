import type { KeyObject } from "node:crypto";
import { Command } from "../shared/contracts/messages.ts";
import { type Parsed, parsePayload } from "../shared/contracts/parse.ts";
import { type Rejection, reject } from "../shared/errors.ts";
import { checkSignature } from "../shared/signing.ts";

/** How far apart the clocks of agent and aggregator may be before commands are taken for expired. */
const CLOCK_SKEW_MS = 30_000;

export interface CommandGateOptions {
  rack_id: string;
  /** Without the site's key no command can be trusted, so all are refused. */
  public_key: KeyObject | null;
  wall_ms(): number;
}

/**
 * Lets a command through only if it is well-formed, signed by the site's key, meant for this rack, fresh, and
 * newer than every command before it.
 */
export function commandGate(options: CommandGateOptions): (payload: Uint8Array) => Parsed<Command> {
  let counter = 0;
  return (payload) => {
    const parsed = parsePayload(Command, payload);
    if (!parsed.ok) return parsed;
    const command = parsed.value;
    const wrong =
      wrongSignature(payload, options.public_key) ??
      wrongRack(command, options.rack_id) ??
      expired(command, options.wall_ms()) ??
      repeated(command, counter);
    if (wrong) return { ok: false, rejections: [wrong] };
    counter = command.counter;
    return { ok: true, value: command };
  };
}

function wrongSignature(payload: Uint8Array, public_key: KeyObject | null): Rejection | undefined {
  if (public_key) return checkSignature(payload, public_key);
  const expected = "the site's public key in the agent's configuration";
  return reject("SKADI_BAD_SIGNATURE", { field: "trust.public_key_file", expected });
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
