import type { JSX } from "preact";

const WIDTH = 120;
const HEIGHT = 28;

/** The course of a figure; the words beside it say what it is, so it is hidden from screen readers. */
export function Spark({
  values,
  limit,
}: {
  values: readonly (number | null)[];
  limit?: number | undefined;
}): JSX.Element | null {
  const known = values.filter((value): value is number => value !== null && Number.isFinite(value));
  if (known.length < 2) return null;
  const all = limit === undefined ? known : [...known, limit];
  const low = Math.min(...all);
  const span = Math.max(...all) - low || 1;
  const x = (i: number) => (WIDTH * i) / (values.length - 1);
  const y = (value: number) => HEIGHT - 3 - ((HEIGHT - 6) * (value - low)) / span;
  let path = "";
  let pen = "M";
  values.forEach((value, i) => {
    if (value === null || !Number.isFinite(value)) {
      pen = "M";
      return;
    }
    path += `${pen}${x(i).toFixed(1)} ${y(value).toFixed(1)}`;
    pen = "L";
  });
  return (
    <svg class="spark" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
      {limit === undefined ? null : <path class="spark-limit" d={`M0 ${y(limit)}H${WIDTH}`} />}
      <path d={path} />
    </svg>
  );
}
