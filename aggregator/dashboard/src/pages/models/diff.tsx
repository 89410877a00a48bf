import type { JSX } from "preact";
import type { ModelDiff } from "../../../../../shared/contracts/model-diff.ts";
import { useQuery } from "../../data/query.ts";
import { number, share } from "../../format/numbers.ts";
import { FEATURE_LABELS } from "../../format/words.ts";
import { href } from "../../router.ts";
import { PageHead, Panel } from "../../ui/panel.tsx";
import { Loading, Problem } from "../../ui/states.tsx";
import { Table } from "../../ui/table.tsx";
import { Tile } from "../../ui/tile.tsx";
import { NotFound } from "../not-found.tsx";

/** Two models side by side: do they say the same of the same rows, and where do they differ? */
export function Diff({ a, b }: { a: string; b: string }): JSX.Element {
  const path = `/models/${encodeURIComponent(a)}/diff/${encodeURIComponent(b)}`;
  const { data, error, reload } = useQuery<ModelDiff>(path);
  if (error?.status === 404) return <NotFound what="model" />;
  return (
    <>
      <PageHead title="Two models compared">
        <span class="beside">
          <a href={href("models")}>All models</a>
        </span>
      </PageHead>
      <p>
        <a href={href("models", a)}>{a}</a> and <a href={href("models", b)}>{b}</a>
      </p>
      {error ? <Problem error={error} retry={reload} /> : null}
      {data ? <Answer diff={data} /> : error ? null : <Loading lines={8} />}
    </>
  );
}

const LEVELS = ["nominal", "fast", "persist"] as const;

function Answer({ diff }: { diff: ModelDiff }): JSX.Element {
  const { agreement, thresholds, centres } = diff;
  const rows = agreement.rows.golden + agreement.rows.stored;
  return (
    <>
      <dl class="tiles four">
        <Tile
          label="Same level"
          value={share(agreement.share, 1)}
          note={`of ${number(rows)} rows, ${number(agreement.rows.stored)} of them recent`}
        />
        <Tile
          label="Alarms"
          value={`${inHundred(agreement.alarm_share.a)} → ${inHundred(agreement.alarm_share.b)}`}
          unit="%"
          note="of those rows at or above tau fast"
        />
        <Tile
          label="Correlation of D"
          value={number(agreement.correlation, 3)}
          note="as a share of tau fast"
        />
        <Tile
          label="Centres apart"
          value={number(centres.mean_distance, 2)}
          unit="σ"
          note={`${centres.matched.length} paired, ${centres.only_a.length + centres.only_b.length} without a partner`}
        />
      </dl>
      <div class="rack-grid">
        <div class="rack-main">
          <Panel title="Centres, the farthest apart first">
            <p class="quiet">Of each pair the first model's centre stands above the second's.</p>
            <Table
              caption="Paired centres in physical units"
              rows={centres.matched.toSorted((x, y) => y.distance - x.distance)}
              rowKey={(pair) => `${pair.a.cluster}/${pair.b.cluster}`}
              columns={[
                { title: "Pair", cell: (pair) => <Two a={pair.a.cluster} b={pair.b.cluster} /> },
                { title: "Apart, σ", numeric: true, cell: (pair) => number(pair.distance, 2) },
                {
                  title: "Share",
                  numeric: true,
                  cell: (pair) => <Two a={share(pair.a.share)} b={share(pair.b.share)} />,
                },
                ...diff.features.map((feature, j) => ({
                  title: FEATURE_LABELS[feature] ?? feature,
                  numeric: true,
                  minor: true,
                  cell: (pair: (typeof centres.matched)[number]) => (
                    <Two a={brief(pair.a.physical[j]!)} b={brief(pair.b.physical[j]!)} />
                  ),
                })),
              ]}
            />
          </Panel>
        </div>
        <div class="rack-side">
          <Panel title="Levels of the same rows">
            <table class="plain">
              <caption class="hidden">Rows by level in both models</caption>
              <thead>
                <tr>
                  <th scope="col">first ↓ second →</th>
                  {LEVELS.map((level) => (
                    <th key={level} scope="col" class="numeric">
                      {level}
                    </th>
                  ))}
                </tr>
              </thead>
              <tbody>
                {LEVELS.map((level, i) => (
                  <tr key={level}>
                    <th scope="row">{level}</th>
                    {agreement.levels[i]!.map((n, j) => (
                      <td key={LEVELS[j]} class={`numeric ${i === j ? "" : "quiet"}`}>
                        {number(n)}
                      </td>
                    ))}
                  </tr>
                ))}
              </tbody>
            </table>
          </Panel>
          <Panel title="Thresholds">
            <dl class="facts">
              {(["tau_fast", "tau_persist"] as const).map((name) => (
                <div key={name}>
                  <dt>{name.replace("_", " ")}</dt>
                  <dd>
                    {number(thresholds[name].a, 3)} → {number(thresholds[name].b, 3)}
                  </dd>
                </div>
              ))}
            </dl>
          </Panel>
        </div>
      </div>
    </>
  );
}

/** What the first model has, above what the second has, so that digits stand in line. */
function Two({ a, b }: { a: string | number; b: string | number }): JSX.Element {
  return (
    <>
      {a}
      <span class="second">{b}</span>
    </>
  );
}

const inHundred = (part: number | null) => number(part === null ? null : 100 * part, 1);

function brief(value: number): string {
  const size = Math.abs(value);
  return number(value, size >= 100 ? 0 : size >= 10 ? 1 : 2);
}
