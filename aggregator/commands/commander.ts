import { randomUUID } from "node:crypto";
import type { Command, CommandBody } from "../../shared/contracts/messages.ts";
import { commandTopic } from "../../shared/contracts/topics.ts";
import { isoTime } from "../../shared/time.ts";
import type { Counters } from "../counters.ts";
import type { SiteKeys } from "../models/distribution/keys.ts";
import type { MessageCounter } from "./counter.ts";

export interface Commander {
  /** Signs and publishes; returns the command's id. */
  send(rack_id: string, body: CommandBody): string;
}

interface CommanderContext {
  site: string;
  keys: Pick<SiteKeys, "sign">;
  counter: MessageCounter;
  counters: Counters;
  publish: (topic: string, message: object) => void;
}

/** In wall-clock time, as agents judge it: a simulation may run faster, but a replayed command stays a replay. */
const VALID_MS = 60_000;

export function createCommander(context: CommanderContext): Commander {
  return {
    send(rack_id, body) {
      const wall_ms = Date.now();
      const command: Command = {
        v: 1,
        id: randomUUID(),
        rack_id,
        counter: context.counter.next(),
        issued_at: isoTime(wall_ms),
        expires_at: isoTime(wall_ms + VALID_MS),
        body,
      };
      context.counters.commands++;
      context.publish(commandTopic(context.site, rack_id), context.keys.sign(command));
      return command.id;
    },
  };
}
