import type { KeyObject } from "node:crypto";
import { canonicalJson, sha256Hex } from "../../shared/canonical.ts";
import type { Action } from "../../shared/contracts/action.ts";
import { signMessage, verifyMessage } from "../../shared/signing.ts";
import { isoTime } from "../../shared/time.ts";

/** What the first row of a chain follows. */
const GENESIS_HASH = "0".repeat(64);

/** A row of the chain by number and hash. */
export interface ChainHead {
  seq: number;
  hash: string;
}

export interface ChainRow extends ChainHead {
  recorded_ms: number;
  action_id: string;
  /** The action's version as canonical JSON. */
  action: string;
  prev_hash: string;
}

/**
 * A signed statement that the chain stood at `seq` with `hash`. An `anchor` also says that the rows up to it were
 * deleted by retention, together with all actions from before `until`.
 */
export interface Checkpoint extends ChainHead {
  v: 1;
  site: string;
  kind: "checkpoint" | "anchor";
  at: string;
  until?: string;
  signature?: string;
}

/** The next row: SHA-256 over the canonical JSON of number, instant, previous hash and action. */
export function nextRow(previous: ChainHead | null, action: Action, recorded_ms: number): ChainRow {
  const unhashed = {
    seq: (previous?.seq ?? 0) + 1,
    recorded_ms: Math.floor(recorded_ms),
    action_id: action.id,
    action: canonicalJson(action),
    prev_hash: previous?.hash ?? GENESIS_HASH,
  };
  return { ...unhashed, hash: rowHash(unhashed) };
}

function rowHash({ seq, recorded_ms, action, action_id, prev_hash }: Omit<ChainRow, "hash">): string {
  return sha256Hex(
    canonicalJson({ v: 1, seq, recorded_at: isoTime(recorded_ms), action_id, prev_hash, action }),
  );
}

export function makeCheckpoint(
  head: ChainHead,
  about: { site: string; at_ms: number; key: KeyObject; until_ms?: number },
): Checkpoint {
  const { site, at_ms, key, until_ms } = about;
  const { seq, hash } = head;
  const anchored = until_ms === undefined ? {} : { until: isoTime(until_ms) };
  const kind = until_ms === undefined ? "checkpoint" : "anchor";
  return signMessage<Checkpoint>({ v: 1, site, kind, seq, hash, at: isoTime(at_ms), ...anchored }, key);
}

type ProblemReason =
  /** A row's content does not give its hash. */
  | "altered"
  /** Rows are missing before this one. */
  | "removed"
  /** A row does not follow the one before it: rows were exchanged, inserted or hashed anew. */
  | "broken_link"
  /** The rows are consistent, but not those that a checkpoint signed. */
  | "rewritten"
  /** The chain ends before a checkpoint. */
  | "truncated"
  /** A checkpoint of the database is not signed by the site's key. */
  | "bad_checkpoint"
  /** The action log that clients read says something else than the chain. */
  | "log_differs";

interface Problem {
  /** The first row that is wrong, or should be there; null where no row is concerned. */
  seq: number | null;
  action_id: string | null;
  reason: ProblemReason;
  detail: string;
}

export interface Verification {
  ok: boolean;
  /** Those after the anchor. */
  rows: number;
  head: ChainHead | null;
  /** Rows up to this one went by retention; 0 if none did. */
  anchored_at: number;
  checkpoints: number;
  /** Rows after the last checkpoint: their removal from the end cannot be told. */
  rows_since_checkpoint: number;
  problem: Problem | null;
}

export interface ChainEvidence {
  /** By seq, ascending. */
  rows: Iterable<ChainRow>;
  checkpoints: readonly Checkpoint[];
  /** Heads that someone noted elsewhere. */
  noted?: readonly ChainHead[];
  /** The action log as clients read it: JSON by id. */
  log: ReadonlyMap<string, string>;
}

/** An agent's clock may be ahead of the aggregator's by this much, so that its action outlives its row. */
const CLOCK_SLACK_MS = 86_400_000;

/** Finds the first row that was altered, removed or put elsewhere. */
export function verifyChain(evidence: ChainEvidence, public_key: KeyObject): Verification {
  const { checkpoints, noted = [], log } = evidence;
  const forged = checkpoints.find((checkpoint) => !verifyMessage(checkpoint, public_key));
  const anchor = checkpoints
    .filter((checkpoint) => checkpoint.kind === "anchor")
    .reduce<Checkpoint | null>((last, next) => (last && last.seq >= next.seq ? last : next), null);
  const anchored_at = anchor?.seq ?? 0;
  const signed = [...checkpoints, ...noted].filter(({ seq }) => seq > anchored_at);
  const last_version = new Map<string, string>();
  let previous: ChainHead = anchor ?? { seq: 0, hash: GENESIS_HASH };
  let rows = 0;
  let problem: Problem | null = null;
  if (forged) {
    const detail = `the checkpoint of ${forged.at} at row ${forged.seq} is not signed by the site's key`;
    problem = { seq: forged.seq, action_id: null, reason: "bad_checkpoint", detail };
  }
  for (const row of evidence.rows) {
    // The anchor is signed first: a crash or a full disk may have left rows that it gave up. They vouch for nothing.
    if (row.seq <= anchored_at) continue;
    problem ??= rowProblem(row, previous, signed);
    last_version.set(row.action_id, row.action);
    previous = row;
    rows++;
  }
  const beyond = signed.find(({ seq }) => seq > previous.seq);
  if (beyond && !problem) {
    const detail = `the chain ends at row ${previous.seq}, but had ${beyond.seq} rows`;
    problem = { seq: previous.seq + 1, action_id: null, reason: "truncated", detail };
  }
  problem ??= logProblem(last_version, log, anchor?.until);
  const last_signed = Math.max(anchored_at, ...signed.map(({ seq }) => seq));
  return {
    ok: problem === null,
    rows,
    head: previous.seq > 0 ? { seq: previous.seq, hash: previous.hash } : null,
    anchored_at,
    checkpoints: checkpoints.length,
    rows_since_checkpoint: Math.max(0, previous.seq - last_signed),
    problem,
  };
}

function rowProblem(row: ChainRow, previous: ChainHead, signed: readonly ChainHead[]): Problem | null {
  const { seq, action_id } = row;
  const found = (reason: ProblemReason, detail: string, at = seq): Problem => ({
    ...{ seq: at, reason, detail },
    action_id: at === seq ? action_id : null,
  });
  const expected = previous.seq + 1;
  if (seq !== expected) return found("removed", `row ${expected} is followed by row ${seq}`, expected);
  if (row.prev_hash !== previous.hash)
    return found("broken_link", `row ${seq} does not follow row ${seq - 1}`);
  if (rowHash(row) !== row.hash) return found("altered", `row ${seq} does not give its hash`);
  if (signed.some((head) => head.seq === seq && head.hash !== row.hash)) {
    return found("rewritten", `row ${seq} is not the one that was signed`);
  }
  return null;
}

function logProblem(
  chain: ReadonlyMap<string, string>,
  log: ReadonlyMap<string, string>,
  until: string | undefined,
): Problem | null {
  const until_ms = until === undefined ? Number.NEGATIVE_INFINITY : Date.parse(until);
  const recordedAt = (json: string) => Date.parse((JSON.parse(json) as Action).ts);
  const found = (action_id: string, detail: string): Problem => ({
    ...{ seq: null, action_id, reason: "log_differs" as const },
    detail,
  });
  for (const [id, version] of chain) {
    const logged = log.get(id);
    if (logged === undefined) {
      // Retention deletes by the action's own time, which is before its row's.
      if (recordedAt(version) >= until_ms) return found(id, "the chain has an action that the log lacks");
    } else if (canonicalJson(JSON.parse(logged)) !== version) {
      return found(id, "the log's version of an action is not the chain's last one");
    }
  }
  for (const [id, logged] of log) {
    if (chain.has(id) || recordedAt(logged) < until_ms + CLOCK_SLACK_MS) continue;
    return found(id, "the log has an action that the chain lacks");
  }
  return null;
}
