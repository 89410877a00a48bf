import { join } from "node:path";
import type { AgentConfig } from "../../shared/contracts/agent-config.ts";
import type { Log } from "../../shared/log.ts";
import type { Clock } from "../../shared/time.ts";
import { diskOutbox } from "./disk-outbox.ts";
import { memoryOutbox, type Outbox } from "./outbox.ts";

/** The outbox that a configuration asks for. It opens whatever the disk is like. */
export function openOutbox(config: AgentConfig, clock: Clock, log: Log): Outbox {
  const { store, dir, outbox_max, disk_max_mb } = config.uplink;
  if (store === "memory") return memoryOutbox(outbox_max);
  return diskOutbox({
    file: join(dir ?? config.model.cache_dir, `${config.rack_id}.outbox.db`),
    capacity: outbox_max,
    bytes_max: disk_max_mb * 1024 * 1024,
    clock,
    log,
  });
}
