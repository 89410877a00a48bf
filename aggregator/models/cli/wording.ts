import Table from "cli-table3";
import type { ModelDiff } from "../../../shared/contracts/model-diff.ts";
import type { ModelDetail, Pin, RegisteredModel } from "../../../shared/contracts/registry.ts";
import type { RolloutView } from "../../../shared/contracts/rollout.ts";
import { figure } from "../../report/html.ts";
import { describeThreshold } from "../threshold-option.ts";

/** Digits of a SHA-256 that tell models apart, and that every command takes. */
const HASH_DIGITS = 12;
/** Centres of boxes may be hundreds. */
const CENTRES_SHOWN = 16;
const PLAIN = { head: [], border: [] };

export const shortHash = (sha256: string): string => sha256.slice(0, HASH_DIGITS);

export function table(head: string[], rows: readonly (string | number)[][], wide?: number[]): string {
  const made = new Table({ head, style: PLAIN, wordWrap: true, ...(wide && { colWidths: wide }) });
  made.push(...rows.map((row) => [...row]));
  return made.toString();
}

/** `2026-01-31 12:00` of an ISO 8601 instant. */
const minute = (ts: string | null): string => (ts === null ? "" : ts.slice(0, 16).replace("T", " "));

const percent = (share: number | null): string => (share === null ? "–" : `${(100 * share).toFixed(1)} %`);

export function modelsTable(models: readonly RegisteredModel[]): string {
  if (models.length === 0)
    return "No model yet: train one with skadi-aggregator train, or bring one with skadi-aggregator models push <file>";
  const rows = models.map(({ model_id, sha256, stage, kind, created_at, lineage, history }) => {
    const last = history.at(-1);
    const since = last ? `${minute(last.ts)} by ${last.by}` : "";
    return [stage, model_id, shortHash(sha256), kind, minute(created_at), lineage.source, since];
  });
  return table(["stage", "model", "sha256", "kind", "made", "source", "at this stage since"], rows);
}

export function modelText(model: ModelDetail): string {
  const { lineage: l, content, racks, pins, history } = model;
  const unknown = (value: string | number | null) => (value === null ? "not known" : String(value));
  const [fast, persist] = describeThreshold(content?.threshold);
  return [
    `Model ${model.model_id} (${model.kind}): ${model.stage}`,
    `  sha256       ${model.sha256}`,
    `  made         ${model.created_at}`,
    ...(content
      ? [
          `  tau_fast     ${content.tau_fast.toFixed(4)}  (${fast})`,
          `  tau_persist  ${content.tau_persist.toFixed(4)}  (${persist})`,
          `  clusters     ${content.training.clusters} (seed ${content.training.seed})`,
          `  nominal rows ${content.training.nominal_rows.toLocaleString("en")} of ${content.training.rows.toLocaleString("en")}`,
          `  D            mean ${content.training.mean_d.toFixed(4)}, std ${content.training.std_d.toFixed(4)}`,
        ]
      : ["  file         gone or altered: this model cannot be brought to any rack"]),
    "Lineage",
    `  source       ${l.source}${l.parent_id ? `, to replace ${l.parent_id}` : ""}`,
    `  data         ${l.data} (${l.rows === null ? "rows not known" : `${l.rows.toLocaleString("en")} rows`})`,
    `  data sha256  ${unknown(l.data_sha256)}`,
    `  from, to     ${l.from === null ? "not known" : `${l.from} … ${l.to}`}`,
    `  code version ${unknown(l.code_version)}`,
    `  parameters   ${JSON.stringify(l.parameters)}`,
    `  report       ${l.report === null ? "none" : `/models/${model.model_id}/report`}`,
    "Racks",
    `  running it   ${racks.length === 0 ? "none" : `${racks.length}: ${racks.join(" ")}`}`,
    `  pinned to it ${pins.map(({ scope }) => scope).join(" ") || "none"}`,
    table(
      ["since", "stage", "by", "reason"],
      history.map(({ ts, stage, by, reason }) => [ts, stage, by, reason]),
    ),
  ].join("\n");
}

export function diffText(diff: ModelDiff): string {
  const { a, b, features, scaler, thresholds, centres, agreement } = diff;
  const name = (side: "a" | "b") => `${side} = ${diff[side].model_id}`;
  const change = ({ a: from, b: to }: { a: number; b: number }) =>
    `${to >= from ? "+" : "−"}${figure(Math.abs(to - from))}`;
  const shown = centres.matched.toSorted((p, q) => q.distance - p.distance).slice(0, CENTRES_SHOWN);
  const hidden = centres.matched.length - shown.length;
  const alone = (side: "a" | "b") => {
    const only = side === "a" ? centres.only_a : centres.only_b;
    return only.length === 0
      ? []
      : [`Only in ${side}: ${only.map((c) => `${c.cluster} (${percent(c.share)})`).join(", ")}`];
  };
  return [
    `${name("a")} (${a.kind}, ${a.clusters} clusters), ${name("b")} (${b.kind}, ${b.clusters} clusters)`,
    "",
    table(
      ["threshold", "a", "b", "change"],
      Object.entries(thresholds).map(([of, both]) => [
        of,
        both.a.toFixed(4),
        both.b.toFixed(4),
        `${(100 * (both.b / both.a - 1)).toFixed(1)} %`,
      ]),
    ),
    "",
    "Nominal operation, mean ± standard deviation:",
    table(
      ["feature", "a", "b"],
      features.map((feature, j) => [
        feature,
        `${figure(scaler.mean[j]!.a)} ± ${figure(scaler.scale[j]!.a)}`,
        `${figure(scaler.mean[j]!.b)} ± ${figure(scaler.scale[j]!.b)}`,
      ]),
    ),
    "",
    `Centres, farthest first: distance in standard deviations (mean ${centres.mean_distance.toFixed(2)}), then b less a in physical units${hidden > 0 ? `; ${hidden} nearer ones are left out` : ""}:`,
    table(
      ["a", "b", "share a", "share b", "distance", ...features],
      shown.map((match) => [
        ...[match.a.cluster, match.b.cluster, percent(match.a.share), percent(match.b.share)],
        match.distance.toFixed(2),
        ...features.map((_, j) => change({ a: match.a.physical[j]!, b: match.b.physical[j]! })),
      ]),
    ),
    ...alone("a"),
    ...alone("b"),
    "",
    `Agreement on ${agreement.rows.golden} golden and ${agreement.rows.stored} stored rows: ${percent(agreement.share)} on the same level, correlation of D/tau_fast ${agreement.correlation?.toFixed(4) ?? "–"}; at or above tau_fast: ${percent(agreement.alarm_share.a)} in a, ${percent(agreement.alarm_share.b)} in b${agreement.unscored > 0 ? `; ${agreement.unscored} rows not scored` : ""}`,
    table(
      ["a \\ b", "nominal", "fast", "persist"],
      ["nominal", "fast", "persist"].map((level, i) => [level, ...agreement.levels[i]!]),
    ),
  ].join("\n");
}

export function pinsTable(pins: readonly Pin[]): string {
  if (pins.length === 0)
    return "No rack or row is pinned; pin one with skadi-aggregator models pin <scope> <model>";
  const rows = pins.map(({ scope, model_id, sha256, by, ts }) => [
    ...[scope, model_id, shortHash(sha256)],
    `${minute(ts)} by ${by}`,
  ]);
  return table(["rack or row", "model", "sha256", "since"], rows);
}

export function rolloutsTable(rollouts: readonly RolloutView[]): string {
  if (rollouts.length === 0)
    return "No rollout yet; start one with skadi-aggregator models promote <model> --watch";
  const rows = rollouts.map(({ id, model_id, state, gated, racks, started_at, by, reason }) => [
    ...[id, model_id, state, gated ? "gated" : "at once"],
    `${racks.accepted.length}/${racks.total}`,
    `${minute(started_at)} by ${by}: ${reason}`,
  ]);
  return table(["rollout", "model", "state", "how", "racks", "started"], rows);
}

/**
 * How a rollout stands, or ended.
 *
 * @param told whether its story has been told already
 */
export function rolloutText(rollout: RolloutView, told: boolean): string {
  const { racks, gates, waves } = rollout;
  const name = (i: number) => (i === 0 ? "canary" : `wave ${i}`);
  const refused = racks.refused.map(({ rack_id, errors }) => `${rack_id}: ${errors[0]?.message ?? ""}`);
  const answers: [string, number, string][] = [
    ["accepted", racks.accepted.length, racks.accepted.join(" ")],
    ["refused", racks.refused.length, refused.join("\n")],
    ["waiting", racks.waiting.length, racks.waiting.join(" ")],
    ["offline", racks.offline.length, racks.offline.join(" ")],
  ];
  return [
    `Rollout ${rollout.id} of ${rollout.model_id} (before: ${rollout.previous_id ?? "none"}): ${rollout.state.replace("_", " ")}`,
    ...(told ? [] : rollout.story.map(({ ts, text }) => `  ${ts}  ${text}`)),
    ...(rollout.gated
      ? [
          table(
            ["wave", "racks", "state", "soaks until"],
            waves.map(({ racks: of_wave, state, soaks_until }, i) => [
              ...[name(i), of_wave.length, state, soaks_until ?? ""],
            ]),
          ),
        ]
      : []),
    ...(gates.length > 0
      ? [
          table(
            ["gate", "", "value", "limit", "because"],
            gates.map(({ name: gate, ok, value, limit, detail }) => [
              ...[gate, ok === null ? "?" : ok ? "passes" : "FAILS", value === null ? "–" : figure(value)],
              ...[figure(limit), detail],
            ]),
            [14, 9, 9, 9, 70],
          ),
        ]
      : []),
    table(["answer", "racks", "which"], answers, [10, 7, 90]),
  ].join("\n");
}
