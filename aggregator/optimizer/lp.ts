import loadHighs from "highs";

/** A linear program, built column by column and row by row. */
interface Lp {
  readonly columns: number;
  /** A variable from `low` to `high`; returns its number. */
  column(cost: number, low: number, high: number): number;
  /** low ≤ Σ value·column ≤ high. */
  row(low: number, high: number, terms: readonly (readonly [column: number, value: number])[]): void;
}

interface LpSolution {
  /** `failed`: the solver ended otherwise; `what` is its own word for it. */
  status: "optimal" | "infeasible" | "time_limit" | "failed";
  values: Float64Array;
  objective: number;
  iterations: number;
}

interface BuiltLp extends Lp {
  cost: number[];
  low: number[];
  high: number[];
  row_low: number[];
  row_high: number[];
  starts: number[];
  indices: number[];
  values: number[];
}

export function createLp(): BuiltLp {
  const lp: BuiltLp = {
    cost: [],
    low: [],
    high: [],
    row_low: [],
    row_high: [],
    starts: [0],
    indices: [],
    values: [],
    get columns() {
      return lp.cost.length;
    },
    column(cost, low, high) {
      lp.cost.push(cost);
      lp.low.push(low);
      lp.high.push(high);
      return lp.cost.length - 1;
    },
    row(low, high, terms) {
      for (const [column, value] of terms) {
        if (value === 0) continue;
        lp.indices.push(column);
        lp.values.push(value);
      }
      lp.starts.push(lp.indices.length);
      lp.row_low.push(low);
      lp.row_high.push(high);
    },
  };
  return lp;
}

export type Solver = (lp: Lp, time_limit_s: number) => LpSolution;

/** The package's types describe its CommonJS form, where the loader is a property; its module form is the loader. */
const load = loadHighs as unknown as typeof loadHighs.default;

type Highs = Awaited<ReturnType<typeof load>>;
type Model = ReturnType<Highs["createModel"]>;

/** HiGHS in WebAssembly. A program of the same shape as the last one starts from its basis. */
export async function createSolver(): Promise<Solver> {
  const highs = await load();
  const { modelStatus } = highs.constants;
  let basis: ReturnType<Model["getBasis"]> | null = null;
  return (lp, time_limit_s) => {
    const { cost, low, high, row_low, row_high, starts, indices, values } = lp as BuiltLp;
    const bounded = (list: number[]) =>
      Float64Array.from(list, (x) =>
        Math.abs(x) === Number.POSITIVE_INFINITY ? Math.sign(x) * highs.infinity : x,
      );
    const model = highs.createModel({
      numCols: cost.length,
      numRows: row_low.length,
      colCost: Float64Array.from(cost),
      colLower: bounded(low),
      colUpper: bounded(high),
      rowLower: bounded(row_low),
      rowUpper: bounded(row_high),
      matrix: {
        format: "csr",
        numRows: row_low.length,
        numCols: cost.length,
        starts: Int32Array.from(starts),
        indices: Int32Array.from(indices),
        values: Float64Array.from(values),
      },
    });
    try {
      model.options.set({ output_flag: false, time_limit: time_limit_s });
      if (basis?.colStatus.length === cost.length && basis.rowStatus.length === row_low.length) {
        model.setBasis(basis);
      }
      model.run();
      const code = model.getModelStatus();
      if (code !== modelStatus.optimal) {
        basis = null;
        const status =
          code === modelStatus.infeasible
            ? "infeasible"
            : code === modelStatus.timeLimit
              ? "time_limit"
              : "failed";
        return { status, values: new Float64Array(cost.length), objective: Number.NaN, iterations: 0 };
      }
      basis = model.getBasis();
      return {
        status: "optimal",
        values: model.getSolution().colValue,
        objective: model.getObjectiveValue(),
        iterations: Number(model.info.get("simplex_iteration_count")),
      };
    } finally {
      model.dispose();
    }
  };
}
