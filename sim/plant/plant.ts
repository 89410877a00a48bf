import type { RackTarget } from "../../shared/contracts/action.ts";
import { skadiError } from "../../shared/errors.ts";
import { seededRandom } from "../../shared/random.ts";
import { createDemand } from "../workload/demand.ts";
import { createRouter, type RoutingTotals } from "../workload/routing.ts";
import { serve } from "../workload/serving.ts";
import { combineConditions, type Imposed, type RackConditions } from "./conditions.ts";
import { createControl } from "./control.ts";
import { createCoolingPlant, rejectHeat, supplyAir } from "./cooling.ts";
import { capPower, drawPower, throttle } from "./electricity.ts";
import { EQUIPMENT_FAULTS, type Fault, isSensorFault } from "./faults.ts";
import { exchangeHeat, mixInletAir } from "./heat.ts";
import { createLayout } from "./layout.ts";
import { PLANT_DEFAULTS, type PlantParameters, ROW_LOAD_SHARE } from "./parameters.ts";
import { createRacks } from "./racks.ts";
import { seasonConditions } from "./season.ts";
import { type ActiveSensorFault, createSensorReader, followSensors, type SensorReadings } from "./sensors.ts";
import { type RackTruth, rackBalance, rackTruth, type SiteBalance } from "./truth.ts";

/** Cumulative since the start. */
interface SiteEnergy {
  it_kwh: number;
  fan_kwh: number;
  pump_kwh: number;
  /** Chillers, air handlers and the pumps. */
  cooling_plant_kwh: number;
  tokens: number;
}

export interface PlantOptions {
  rack_ids: readonly string[];
  seed: number | string;
  start_ms: number;
  /** The hour of the users' day at the start, for the load's daily curve; default: that of start_ms, UTC. */
  start_hour?: number | undefined;
  /** How much warmer it is outdoors than the constants assume, from the start on. */
  season_k?: number | undefined;
  parameters?: Partial<PlantParameters>;
}

/** A hall of racks as a closed loop: what is set here changes what the sensors say next. */
export interface Plant {
  readonly now_ms: number;
  readonly rack_ids: readonly string[];
  /** Moves time on; steps are at most 5 s long. */
  step(dt_s: number): void;

  read(rack_id: string): SensorReadings;
  truth(rack_id: string): RackTruth;
  /** The same as in `truth`, for who wants it every second of many racks. */
  latencyP95Ms(rack_id: string): number;

  /** null: the rack's own control, or full traffic. */
  target(rack_id: string, target: RackTarget): number | null;
  setTarget(rack_id: string, target: RackTarget, value: number | null): void;
  /** The delivered supply air, and its setpoint (null: the design value). */
  readonly supply_c: number;
  setSupply(value_c: number | null): void;

  inject(fault: Fault): string;
  /** Lets outside conditions act on racks until the returned handle is cleared. */
  impose(rack_ids: readonly string[], conditions: Partial<RackConditions>): string;
  /** Ends a fault or a condition; an unknown handle is ignored, so that clearing twice is harmless. */
  clear(handle: string): void;

  energy(): SiteEnergy;
  balance(): SiteBalance;
  workload(): RoutingTotals;
}

const MAX_STEP_S = 5;
const DAY_MS = 86_400_000;
/** The hall has been running for this long at the start: several thermal time constants. */
const SETTLE_S = 900;

export function createPlant(options: PlantOptions): Plant {
  const p: PlantParameters = { ...PLANT_DEFAULTS, ...options.parameters };
  const random = seededRandom(options.seed).fork("plant");
  const layout = createLayout(options.rack_ids);
  const racks = createRacks(layout, p, random.fork("racks"));
  const demand = createDemand(
    layout.row_of.map((row) => ROW_LOAD_SHARE[row] ?? 1),
    random.fork("demand"),
  );
  const router = createRouter(racks.count, p.capacity_tokens_ps);
  const cooling = createCoolingPlant(p);
  const controlActuators = createControl(p);
  const air_random = random.fork("air");
  const sensors = createSensorReader(racks, Math.floor(random.fork("sensors").uniform() * 2 ** 32), p);

  const clock_share = new Float64Array(racks.count).fill(1);
  const imposed = new Map<string, Imposed>();
  const equipment_faults = new Map<string, { kind: string; racks: readonly number[] }>();
  const sensor_faults = new Map<string, ActiveSensorFault & { rack: number }>();
  const totals: SiteEnergy = { it_kwh: 0, fan_kwh: 0, pump_kwh: 0, cooling_plant_kwh: 0, tokens: 0 };
  const { start_ms, start_hour } = options;
  const day_offset_ms = start_hour === undefined ? 0 : start_hour * 3_600_000 - (start_ms % DAY_MS);
  let now_ms = start_ms - SETTLE_S * 1000;
  let last_dt_s = 0;
  let handles = 0;

  const step = (dt_s: number) => {
    if (!(dt_s > 0 && dt_s <= MAX_STEP_S)) {
      throw skadiError("SKADI_INVALID_FIELD", {
        field: "dt_s",
        value: dt_s,
        expected: `above 0, at most ${MAX_STEP_S}`,
      });
    }
    now_ms += dt_s * 1000;
    last_dt_s = dt_s;
    demand.update(racks, now_ms + day_offset_ms, dt_s);
    router.assign(racks, dt_s);
    demand.arrive(racks, dt_s);
    controlActuators(racks, dt_s);
    throttle(racks, clock_share, p);
    capPower(racks, clock_share, p);
    serve(racks, clock_share, p);
    drawPower(racks, dt_s, p);
    supplyAir(cooling, racks, dt_s, p);
    mixInletAir(racks, layout, dt_s, air_random, p);
    exchangeHeat(racks, dt_s, p);
    rejectHeat(cooling, racks, p);
    followSensors(racks, dt_s);
    addUp(dt_s);
  };

  const addUp = (dt_s: number) => {
    let it_kw = 0;
    let fan_kw = 0;
    let pump_kw = 0;
    let tokens_ps = 0;
    for (let i = 0; i < racks.count; i++) {
      it_kw += racks.it_kw[i]!;
      fan_kw += racks.fan_kw[i]!;
      pump_kw += racks.pump_kw[i]!;
      tokens_ps += racks.served_tokens_ps[i]!;
    }
    const hours = dt_s / 3600;
    totals.it_kwh += it_kw * hours;
    totals.fan_kwh += fan_kw * hours;
    totals.pump_kwh += pump_kw * hours;
    totals.cooling_plant_kwh += cooling.electricity_kw * hours;
    totals.tokens += tokens_ps * dt_s;
  };

  const recombine = () => combineConditions(racks.condition, imposed.values());

  const imposeOn = (indices: readonly number[], conditions: Partial<RackConditions>, label: string) => {
    const handle = `${label}-${++handles}`;
    imposed.set(handle, { racks: indices, conditions });
    recombine();
    return handle;
  };

  const faultsOf = (i: number): string => {
    if (equipment_faults.size + sensor_faults.size === 0) return "none";
    const kinds = new Set<string>();
    for (const fault of equipment_faults.values()) if (fault.racks.includes(i)) kinds.add(fault.kind);
    for (const active of sensor_faults.values()) if (active.rack === i) kinds.add(active.fault.kind);
    return kinds.size === 0 ? "none" : [...kinds].join("+");
  };

  const read = (rack_id: string): SensorReadings => {
    const i = layout.index(rack_id);
    const faults =
      sensor_faults.size === 0 ? [] : [...sensor_faults.values()].filter((active) => active.rack === i);
    return sensors.read(i, now_ms, faults);
  };

  if (options.season_k) imposeOn([...racks.mass_c.keys()], seasonConditions(options.season_k), "season");
  for (let s = 0; s < SETTLE_S; s += MAX_STEP_S) step(MAX_STEP_S);
  for (const key of Object.keys(totals) as (keyof SiteEnergy)[]) totals[key] = 0;

  return {
    get now_ms() {
      return now_ms;
    },
    rack_ids: layout.rack_ids,
    step,
    read,
    truth(rack_id) {
      const i = layout.index(rack_id);
      return rackTruth(racks, i, { rack_id, fault: faultsOf(i), clock_share: clock_share[i]! });
    },
    latencyP95Ms: (rack_id) => racks.latency_p95_ms[layout.index(rack_id)]!,

    target(rack_id, target) {
      const value = racks.target[target][layout.index(rack_id)]!;
      return Number.isNaN(value) ? null : value;
    },
    setTarget(rack_id, target, value) {
      if (value !== null && !(value >= 0 && Number.isFinite(value))) {
        throw skadiError("SKADI_INVALID_FIELD", { field: target, value, expected: "a number ≥ 0, or null" });
      }
      racks.target[target][layout.index(rack_id)] = value ?? Number.NaN;
    },
    get supply_c() {
      return cooling.supply_c;
    },
    setSupply(value_c) {
      cooling.setpoint_c = value_c ?? p.supply_c;
    },

    inject(fault) {
      const i = layout.index(fault.rack_id);
      const { severity } = fault;
      if (!(severity >= 0 && severity <= 1)) {
        throw skadiError("SKADI_INVALID_FIELD", { field: "severity", value: severity, expected: "0 to 1" });
      }
      if (isSensorFault(fault)) {
        const handle = `${fault.kind}-${++handles}`;
        const before = read(fault.rack_id)[fault.field];
        sensor_faults.set(handle, { fault, rack: i, since_ms: now_ms, before });
        return handle;
      }
      const { scope, conditions } = EQUIPMENT_FAULTS[fault.kind];
      const indices = scope === "row" ? layout.racksInRow(layout.row_of[i]!) : [i];
      const handle = imposeOn(indices, conditions(severity), fault.kind);
      equipment_faults.set(handle, { kind: fault.kind, racks: indices });
      return handle;
    },
    impose: (rack_ids, conditions) => imposeOn(rack_ids.map(layout.index), conditions, "condition"),
    clear(handle) {
      sensor_faults.delete(handle);
      equipment_faults.delete(handle);
      if (imposed.delete(handle)) recombine();
    },

    energy: () => ({ ...totals }),
    balance() {
      const per_rack = layout.rack_ids.map((_, i) => rackBalance(racks, i, last_dt_s, p));
      const sum = (field: keyof (typeof per_rack)[number]) =>
        per_rack.reduce((total, rack) => total + rack[field], 0);
      return {
        electrical_j: sum("electrical_j"),
        stored_j: sum("stored_j"),
        air_j: sum("air_j"),
        liquid_j: sum("liquid_j"),
        pump_j: sum("pump_j"),
        rejected_j: (cooling.air_rejected_kw + cooling.water_rejected_kw) * 1000 * last_dt_s,
        cooling_plant_j: cooling.electricity_kw * 1000 * last_dt_s,
        racks: per_rack,
      };
    },
    workload: () => ({ ...router.totals }),
  };
}
