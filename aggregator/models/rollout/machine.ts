import type { RolloutConfig } from "../../../shared/contracts/config.ts";
import type { RolloutGate } from "../../../shared/contracts/rollout.ts";
import { alarmGate, errorGate, shiftGate, type WaveErrors, type WaveEvidence } from "./gates.ts";
import { type PlanRack, planWaves } from "./planner.ts";
import {
  type Answer,
  acceptedOf,
  type ModelRef,
  type RolloutState,
  racksOf,
  refusedOf,
  type SiteModels,
  type Wave,
} from "./state.ts";
import type { Tally } from "./tallies.ts";
import { durationOf, racksInWords, someRacks } from "./wording.ts";

/** What is seen of one rack. */
export interface SeenRack {
  /** Its agent is connected, and since when it is, or is not, as far as the aggregator knows. */
  online: boolean;
  since_ms: number;
  /** How often it went offline since the rollout's present stage began. */
  drops: number;
  /** The model that it says it runs; null if it says nothing. */
  sha256: string | null;
  /** Its answers to the rollout's model since the last look. */
  answer: Answer | null;
}

export interface Look {
  kind: "look";
  racks: ReadonlyMap<string, SeenRack>;
  /** Each rack's own time before, as of now. */
  baseline(): Record<string, Tally>;
  /** What the wave's racks and the others scored since it soaks. */
  evidence(rollout: RolloutState, wave: Wave): WaveEvidence;
}

export type Observation =
  | Look
  | {
      kind: "start";
      id: string;
      model: ModelRef;
      gated: boolean;
      by: string;
      reason: string;
      racks: PlanRack[];
    }
  | { kind: "halt"; by: string; reason: string }
  /** Racks that were pinned to a model of their own meanwhile. */
  | { kind: "pinned"; racks: readonly string[] }
  /** The aggregator came up again: what it had seen of a soak is lost. */
  | { kind: "restart" };

export interface Step {
  site: SiteModels;
  /** The racks should run something else than before: a manifest must say so, once `site` is written down. */
  publish: boolean;
}

/** A soak with too little to judge by, and the wait for answers, are prolonged to so many times their length. */
const PATIENCE = 4;
/**
 * After which shares of the soak the gates are looked at, and what part of their error level each look may spend: the
 * early ones stop what is plainly bad, the late ones come to pass only where a rise was seen that may still be chance.
 */
const LOOKS = [
  ...[0.25, 0.5, 0.75].map((at) => ({ at, spends: 0.05 })),
  { at: 1, spends: 0.4 },
  ...[2, 3, PATIENCE].map((at) => ({ at, spends: 0.15 })),
];
const FIRST_VERDICT = LOOKS.findIndex(({ at }) => at === 1) + 1;
/** An agent that went offline so often within one stage does not live with the model. */
const DROPS_MAX = 3;
const PAST_MAX = 20;

/**
 * One step of the site's rollouts: from what is written down and what is seen to what is to be written down next.
 * Pure, so that a crash between any two steps loses nothing but the step.
 */
export function step(site: SiteModels, seen: Observation, now_ms: number, config: RolloutConfig): Step {
  const copy = { ...site, rollout: structuredClone(site.rollout) };
  const draft: Draft = { site: copy, publish: false, now_ms, config };
  if (seen.kind === "start") start(draft, seen);
  else if (seen.kind === "halt") halt(draft, `by ${seen.by}, ${seen.reason}.`);
  else if (seen.kind === "pinned") leaveOut(draft, seen.racks);
  else if (seen.kind === "restart") restart(draft);
  else look(draft, seen);
  return { site: draft.site, publish: draft.publish };
}

/** A step under way. */
interface Draft {
  site: SiteModels;
  publish: boolean;
  now_ms: number;
  config: RolloutConfig;
}

function tell({ site, now_ms }: Draft, text: string): void {
  site.rollout?.story.push({ ts_ms: now_ms, text });
}

function start(
  draft: Draft,
  { id, model, by, reason, racks, ...asked }: Observation & { kind: "start" },
): void {
  const { site, now_ms, config } = draft;
  const running = site.rollout?.state === "running" ? site.rollout : null;
  if (running) {
    const back = running.gated
      ? `; its racks go back to ${running.base?.model_id} until their turn comes`
      : "";
    tell(draft, `Superseded by ${model.model_id}${back}.`);
    end(draft, "superseded");
  }
  if (site.rollout) site.past = [slim(site.rollout), ...site.past].slice(0, PAST_MAX);
  // A site that runs nothing has nothing to compare with and nothing to lose.
  const comparable = site.release !== null && site.release.sha256 !== model.sha256;
  const gated = asked.gated && comparable && racks.length > 0;
  const parts = gated ? planWaves(racks, config, id) : [racks.map((rack) => rack.rack_id)];
  const waves = parts
    .filter((part) => part.length > 0)
    .map((part): Wave => ({ racks: part, state: "waiting", offered_ms: null, soaking_ms: null, looks: 0 }));
  const base = site.release;
  site.rollout = {
    ...{ id, model, base, gated, state: "running", by, reason, started_ms: now_ms, ended_ms: null, waves },
    ...{ answers: {}, baseline: {}, returning: [], gates: [], story: [] },
  };
  const from = base ? ` in place of ${base.model_id}` : "";
  const way = gated
    ? `a canary of ${someRacks(parts[0]!)}, then ${waves.length - 1} more wave${waves.length === 2 ? "" : "s"}`
    : `all ${racksInWords(racks.length)} at once, without gates`;
  tell(draft, `${by} starts ${model.model_id}${from}: ${way}. Reason: ${reason}.`);
  draft.publish = true;
  if (gated) return;
  setRelease(site, model);
  for (const wave of waves) Object.assign(wave, { state: "offered", offered_ms: now_ms });
  if (waves.length === 0) end(draft, "completed");
}

/** The story of an older one is kept, what it was judged by is not. */
function slim(rollout: RolloutState): RolloutState {
  return { ...rollout, baseline: {}, returning: [] };
}

function setRelease(site: SiteModels, model: ModelRef): void {
  if (site.release?.sha256 === model.sha256) return;
  site.previous = site.release;
  site.release = model;
}

function end({ site, now_ms }: Draft, state: RolloutState["state"]): void {
  const rollout = site.rollout!;
  rollout.state = state;
  rollout.ended_ms = now_ms;
  rollout.baseline = {};
}

/** Takes the model from every rack that has it: they go back to what they ran before. */
function halt(draft: Draft, why: string): void {
  const { site } = draft;
  const rollout = site.rollout;
  if (rollout?.state !== "running") return;
  const wave = rollout.waves.find(({ state }) => state === "offered" || state === "soaking");
  if (wave) wave.state = "failed";
  rollout.returning = acceptedOf(rollout, racksOf(rollout));
  if (!rollout.gated && rollout.base) {
    site.release = rollout.base;
    site.previous = null;
  }
  const back = `back to ${rollout.base?.model_id ?? "none"}`;
  const count = rollout.returning.length;
  const who =
    count === 0
      ? "No rack had taken it"
      : `${someRacks(rollout.returning)} go${count === 1 ? "es" : ""} ${back}`;
  tell(draft, `Halted: ${why} ${who}.`);
  end(draft, "rolled_back");
  draft.publish = true;
}

function restart(draft: Draft): void {
  const rollout = draft.site.rollout;
  draft.publish = draft.site.release !== null;
  if (rollout?.state !== "running") return;
  for (const wave of rollout.waves) {
    if (wave.state === "offered") wave.offered_ms = draft.now_ms;
    if (wave.state !== "soaking") continue;
    wave.soaking_ms = draft.now_ms;
    wave.looks = 0;
    tell(draft, `The aggregator restarted: ${nameOf(rollout, wave)} soaks anew.`);
  }
}

function leaveOut(draft: Draft, racks: readonly string[]): void {
  const rollout = draft.site.rollout;
  if (rollout?.state !== "running") return;
  const pinned = new Set(racks);
  const left_out = racksOf(rollout).filter((rack_id) => pinned.has(rack_id));
  if (left_out.length === 0) return;
  for (const wave of rollout.waves) wave.racks = wave.racks.filter((rack_id) => !pinned.has(rack_id));
  for (const rack_id of left_out) delete rollout.answers[rack_id];
  tell(draft, `${someRacks(left_out)} keep${left_out.length === 1 ? "s" : ""} a model of their own: pinned.`);
}

function look(draft: Draft, seen: Look): void {
  const rollout = draft.site.rollout;
  if (!rollout) return;
  const joined = takeAnswers(rollout, seen);
  if (rollout.state === "rolled_back") watchReturn(draft, rollout, seen);
  if (rollout.state === "completed" && joined.length > 0) {
    tell(draft, `${someRacks(joined)} came later and run ${rollout.model.model_id} now.`);
  }
  if (rollout.state !== "running") return;
  if (rollout.gated) advance(draft, rollout, seen);
  else finishUngated(draft, rollout, seen);
}

/** What a rack says that it runs outweighs what it answered. Returns the racks that have accepted since. */
function takeAnswers(rollout: RolloutState, { racks }: Look): string[] {
  if (rollout.state !== "running" && rollout.state !== "completed") return [];
  const joined: string[] = [];
  for (const rack_id of racksOf(rollout)) {
    const rack = racks.get(rack_id);
    const before = rollout.answers[rack_id];
    const runs_it = isOnline(racks, rack_id) && rack?.sha256 === rollout.model.sha256;
    const answer = runs_it ? { ok: true, errors: [] } : (rack?.answer ?? null);
    if (!answer || (before && before.ok === answer.ok)) continue;
    rollout.answers[rack_id] = answer;
    if (answer.ok) joined.push(rack_id);
  }
  return joined;
}

function watchReturn(draft: Draft, rollout: RolloutState, { racks }: Look): void {
  if (rollout.returning.length === 0 || !rollout.base) return;
  const { sha256 } = rollout.base;
  rollout.returning = rollout.returning.filter((rack_id) => racks.get(rack_id)?.sha256 !== sha256);
  if (rollout.returning.length === 0) tell(draft, `Every rack runs ${rollout.base.model_id} again.`);
}

function finishUngated(draft: Draft, rollout: RolloutState, { racks }: Look): void {
  const wave = rollout.waves[0]!;
  if (isAwaited(draft, rollout, wave, racks)) return;
  for (const each of rollout.waves) each.state = "passed";
  tell(draft, summary(rollout, racks));
  end(draft, "completed");
}

const isOnline = (racks: Look["racks"], rack_id: string) => racks.get(rack_id)?.online === true;
const unanswered = (rollout: RolloutState, wave: Wave, racks: Look["racks"]) =>
  wave.racks.filter((rack_id) => isOnline(racks, rack_id) && rollout.answers[rack_id] === undefined);

/** Online and silent for longer than an answer takes. */
function overdue(
  { now_ms, config }: Draft,
  rollout: RolloutState,
  wave: Wave,
  racks: Look["racks"],
): string[] {
  const since = (rack_id: string) => Math.max(wave.offered_ms!, racks.get(rack_id)!.since_ms);
  return unanswered(rollout, wave, racks).filter(
    (rack_id) => now_ms - since(rack_id) >= config.answer_s * 1000,
  );
}

/** Whether an answer may still come; racks that come and go are not waited for for ever. */
function isAwaited(draft: Draft, rollout: RolloutState, wave: Wave, racks: Look["racks"]): boolean {
  const pending = unanswered(rollout, wave, racks).length - overdue(draft, rollout, wave, racks).length;
  return pending > 0 && draft.now_ms - wave.offered_ms! < PATIENCE * draft.config.answer_s * 1000;
}

function advance(draft: Draft, rollout: RolloutState, seen: Look): void {
  for (let moved = true; moved && rollout.state === "running"; ) {
    const wave = rollout.waves.find(({ state, racks }) => state !== "passed" && racks.length > 0);
    if (!wave) {
      complete(draft, rollout, seen);
      return;
    }
    if (wave.state === "waiting") moved = offer(draft, rollout, wave, seen);
    else if (wave.state === "offered") moved = awaitAnswers(draft, rollout, wave, seen);
    else moved = soak(draft, rollout, wave, seen);
  }
}

function complete(draft: Draft, rollout: RolloutState, { racks }: Look): void {
  setRelease(draft.site, rollout.model);
  tell(draft, `Every gate passed. ${summary(rollout, racks)}`);
  end(draft, "completed");
  draft.publish = true;
}

function summary(rollout: RolloutState, racks: Look["racks"]): string {
  const all = racksOf(rollout);
  const refused = refusedOf(rollout, all);
  const open = all.filter((rack_id) => rollout.answers[rack_id] === undefined);
  const offline = open.filter((rack_id) => !isOnline(racks, rack_id));
  const silent = open.length - offline.length;
  return [
    `${acceptedOf(rollout, all).length} of ${racksInWords(all.length)} run ${rollout.model.model_id}`,
    ...(refused.length > 0 ? [`${refused.length} refused (${someRacks(refused)})`] : []),
    ...(silent > 0 ? [`${silent} did not answer`] : []),
    ...(offline.length > 0 ? [`${offline.length} offline will join later`] : []),
  ]
    .join("; ")
    .concat(".");
}

function offer(draft: Draft, rollout: RolloutState, wave: Wave, seen: Look): boolean {
  Object.assign(wave, { state: "offered", offered_ms: draft.now_ms });
  rollout.baseline = seen.baseline();
  rollout.gates = [];
  tell(draft, `Offered to ${nameOf(rollout, wave)}: ${someRacks(wave.racks)}.`);
  draft.publish = true;
  return false;
}

function awaitAnswers(draft: Draft, rollout: RolloutState, wave: Wave, seen: Look): boolean {
  const gate = errorGate(errorsOf(draft, rollout, wave, seen.racks), draft.config.gates);
  keepGate(rollout, gate);
  if (gate.ok === false) return fail(draft, rollout, wave, gate);
  if (isAwaited(draft, rollout, wave, seen.racks)) return false;
  const accepted = acceptedOf(rollout, wave.racks);
  if (accepted.length === 0) {
    // The canary waits for racks to come online: without any the rest would be judged by nothing.
    if (wave === rollout.waves[0]) return false;
    tell(draft, `Nobody of ${nameOf(rollout, wave)} is online; they will join later.`);
    wave.state = "passed";
    return true;
  }
  Object.assign(wave, { state: "soaking", soaking_ms: draft.now_ms, looks: 0 });
  tell(
    draft,
    `${accepted.length} of ${racksInWords(wave.racks.length)} of ${nameOf(rollout, wave)} took it; it soaks for ${durationOf(draft.config.soak_s)}.`,
  );
  return false;
}

function soak(draft: Draft, rollout: RolloutState, wave: Wave, seen: Look): boolean {
  const { now_ms, config } = draft;
  const { gates } = config;
  const errors = errorGate(errorsOf(draft, rollout, wave, seen.racks), gates);
  keepGate(rollout, errors);
  if (errors.ok === false) return fail(draft, rollout, wave, errors);
  const share = (now_ms - wave.soaking_ms!) / (config.soak_s * 1000);
  const looks = LOOKS.filter(({ at }) => at <= share).length;
  if (looks <= wave.looks) return false;
  wave.looks = looks;
  const level = gates.error_level * LOOKS[looks - 1]!.spends;
  const evidence = seen.evidence(rollout, wave);
  const judged = [alarmGate(evidence, gates, level), shiftGate(evidence, gates, level)];
  for (const gate of judged) keepGate(rollout, gate);
  const bad = judged.find(({ ok }) => ok === false);
  if (bad) return fail(draft, rollout, wave, bad);
  if (share < 1) return false;
  const open = judged.find(({ ok }) => ok === null);
  if (open && share < PATIENCE) {
    if (looks === FIRST_VERDICT) tell(draft, `${capital(nameOf(rollout, wave))} soaks on: ${open.detail}.`);
    return false;
  }
  // A rise that four soaks could not tell from chance is none; a model that nothing was seen of is not let on.
  if (open && open.value === null) return fail(draft, rollout, wave, open);
  wave.state = "passed";
  tell(draft, `${capital(nameOf(rollout, wave))} passed: ${judged.map(({ detail }) => detail).join(". ")}.`);
  return true;
}

function fail(draft: Draft, rollout: RolloutState, wave: Wave, gate: RolloutGate): boolean {
  const what = gate.name.replace("_", " ");
  halt(draft, `the gate on ${what} failed at ${nameOf(rollout, wave)}: ${gate.detail}.`);
  return false;
}

function keepGate(rollout: RolloutState, gate: RolloutGate): void {
  rollout.gates = [...rollout.gates.filter(({ name }) => name !== gate.name), gate];
}

function errorsOf(draft: Draft, rollout: RolloutState, wave: Wave, racks: Look["racks"]): WaveErrors {
  const inside = new Set(wave.racks);
  const others = [...racks].filter(([rack_id]) => !inside.has(rack_id));
  // An agent that is restarted, or that a restarted aggregator has not heard of yet, is not lost.
  const isLost = (rack: SeenRack | undefined) =>
    rack !== undefined &&
    (rack.drops >= DROPS_MAX ||
      (!rack.online && draft.now_ms - rack.since_ms >= draft.config.answer_s * 1000));
  const offline = others.filter(([, rack]) => isLost(rack)).length;
  return {
    racks: wave.racks.filter((rack_id) => isOnline(racks, rack_id) || rollout.answers[rack_id]).length,
    refused: refusedOf(rollout, wave.racks).length,
    silent: overdue(draft, rollout, wave, racks).length,
    lost: acceptedOf(rollout, wave.racks).filter((rack_id) => isLost(racks.get(rack_id))).length,
    others_offline: others.length > 0 ? offline / others.length : 0,
  };
}

function nameOf(rollout: RolloutState, wave: Wave): string {
  const i = rollout.waves.indexOf(wave);
  return i === 0 ? "the canary" : `wave ${i} of ${rollout.waves.length - 1}`;
}

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);
