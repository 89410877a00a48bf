import type { KeyObject } from "node:crypto";
import type { Action } from "../../shared/contracts/action.ts";
import { auditTopic } from "../../shared/contracts/topics.ts";
import type { Log } from "../../shared/log.ts";
import type { Clock } from "../../shared/time.ts";
import type { Store } from "../store/store.ts";
import { type ChainHead, type Checkpoint, makeCheckpoint, nextRow } from "./chain.ts";

/** The append-only, hash-chained record of every version of every action. */
export interface Journal {
  append(action: Action): void;
  /** null before the first row. */
  head(): ChainHead | null;
  lastCheckpoint(): Checkpoint | null;
  /** Signs the head, keeps and logs it and publishes it, retained; nothing if it was signed already. */
  checkpoint(): void;
  /** Deletes the rows from before an instant; a signed anchor says where the rest goes on. */
  prune(before_ms: number): void;
  /** A checkpoint now and once a day. */
  start(): void;
  /** A last checkpoint. */
  stop(): void;
}

interface JournalContext {
  site: string;
  key: KeyObject;
  store: Store;
  clock: Clock;
  log: Log;
  publish: (topic: string, message: object, options?: { retain?: boolean }) => void;
}

const DAY_MS = 86_400_000;
/** As many as a database from before the chain may hold. */
const IMPORT_MAX = 1_000_000;

export function openJournal(context: JournalContext): Journal {
  const { site, key, store, clock, log } = context;
  let last: Checkpoint | null = store.chain.checkpoints().at(-1) ?? null;
  // Where retention has taken every row, the chain goes on from its anchor.
  let head: ChainHead | null = store.chain.head() ?? (last && { seq: last.seq, hash: last.hash });
  let stopTimer: (() => void) | undefined;

  const append = (action: Action) => {
    const row = nextRow(head, action, clock.now());
    store.chain.append(row);
    head = { seq: row.seq, hash: row.hash };
  };
  const keep = (checkpoint: Checkpoint) => {
    store.chain.putCheckpoint(checkpoint);
    // A head that is made known must be on the disk, or a crash or a power cut would look like tampering.
    store.flush({ durable: true });
    if (!last || checkpoint.seq >= last.seq) last = checkpoint;
    const { seq, hash, kind, at } = checkpoint;
    log.info({ seq, hash, kind, at }, "action chain checkpoint");
  };
  const checkpoint = () => {
    if (!head || (last && last.seq === head.seq)) return;
    keep(makeCheckpoint(head, { site, key, at_ms: clock.now() }));
  };
  const announce = () => {
    if (last) context.publish(auditTopic(site), last, { retain: true });
  };
  const guarded = (task: () => void) => {
    try {
      task();
    } catch (error) {
      log.error({ err: error }, "action chain checkpoint failed; will be tried again");
    }
  };
  const sign = () => {
    checkpoint();
    announce();
  };

  // A database from before the chain: what it holds now is what can be vouched for from now on.
  if (!head) for (const action of store.actions.recent(IMPORT_MAX).reverse()) append(action);
  return {
    append,
    head: () => head,
    lastCheckpoint: () => last,
    checkpoint: sign,
    prune(before_ms) {
      const until = store.chain.lastBefore(before_ms);
      if (!until) return;
      keep(makeCheckpoint(until, { site, key, at_ms: clock.now(), until_ms: before_ms }));
      const deleted = store.chain.prune(until.seq);
      log.info({ deleted, until: until.seq }, "action chain pruned");
    },
    start() {
      guarded(sign);
      stopTimer ??= clock.every(DAY_MS, () => guarded(sign));
    },
    stop() {
      stopTimer?.();
      stopTimer = undefined;
      // The broker may be gone by now; the next start publishes it.
      guarded(checkpoint);
    },
  };
}
