import type { Release } from "../../shared/contracts/manifest.ts";
import type { Rejection } from "../../shared/errors.ts";
import type { Clock } from "../../shared/time.ts";
import { collectChunks } from "./chunks.ts";

/** After a first vain attempt the next one comes this soon; after each further one, twice as late … */
const RETRY_MS = 30_000;
/** … but never later than this. */
const RETRY_MAX_MS = 900_000;

/** Listens for the parts of one model. Returns the function that stops it. */
export type Listen = (sha256: string, onPart: (n: number, part: Uint8Array) => void) => () => void;

export interface DeliveryOptions {
  release: Release;
  clock: Clock;
  /** How long one attempt waits for parts. */
  wait_s: number;
  listen: Listen;
  onComplete(bytes: Uint8Array<ArrayBuffer>): void;
  /** An attempt was in vain; the next one follows by itself. */
  onIncomplete(rejection: Rejection): void;
}

/** Waits for a model's parts until it is whole or no longer wanted. */
export interface Delivery {
  /** Something suggests that the parts are there now: the next attempt begins at once. */
  hurry(): void;
  stop(): void;
}

/**
 * Parts are retained, so each attempt is a subscription that brings all of them. Between attempts nothing is listened
 * to and nothing is held: a model that never becomes whole costs neither traffic nor memory.
 */
export function awaitDelivery(options: DeliveryOptions): Delivery {
  const { release, clock } = options;
  let stopListening: (() => void) | null = null;
  let cancelTimer = () => {};
  let gap_ms = RETRY_MS;
  let over = false;

  const end = () => {
    cancelTimer();
    stopListening?.();
    stopListening = null;
  };
  const attempt = () => {
    end();
    const chunks = collectChunks(release);
    const giveUp = () => {
      end();
      cancelTimer = clock.after(gap_ms, attempt);
      gap_ms = Math.min(2 * gap_ms, RETRY_MAX_MS);
      options.onIncomplete(chunks.problem());
    };
    cancelTimer = clock.after(options.wait_s * 1000, giveUp);
    stopListening = options.listen(release.sha256, (n, part) => {
      if (!chunks.add(n, part)) return;
      const bytes = chunks.bytes();
      over = true;
      end();
      if (bytes) options.onComplete(bytes);
    });
  };
  attempt();
  return {
    hurry() {
      if (!over && !stopListening) attempt();
    },
    stop() {
      over = true;
      end();
    },
  };
}
