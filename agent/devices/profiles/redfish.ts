import type { RedfishProfile } from "../../../shared/contracts/devices/redfish.ts";
import type { Unit } from "../../../shared/contracts/devices/units.ts";
import type { MeasuredField } from "../../../shared/contracts/telemetry.ts";

interface ProfileSource {
  /** Below the chassis or cooling unit. */
  path: string;
  each_member?: true;
  pointer?: string;
  select?: { array: string; where: Record<string, string>; value: string };
}

interface ProfilePoint {
  field: MeasuredField;
  unit?: Unit;
  /** The first of these that the device has is read. */
  sources: readonly ProfileSource[];
  /** Read unless the configuration names the fields that it wants. */
  by_default: boolean;
}

/** Both generations of DMTF's thermal model; the older one first, because it tells the status of each sensor. */
const air = (context: "Intake" | "Exhaust", names: readonly string[]): ProfileSource[] => [
  ...[{ PhysicalContext: context }, ...names.map((Name) => ({ Name }))].map((where) => ({
    path: "Thermal",
    select: { array: "/Temperatures", where, value: "ReadingCelsius" },
  })),
  {
    path: "ThermalSubsystem/ThermalMetrics",
    pointer: `/TemperatureSummaryCelsius/${context}/Reading`,
  },
  {
    path: "ThermalSubsystem/ThermalMetrics",
    select: { array: "/TemperatureReadingsCelsius", where: { PhysicalContext: context }, value: "Reading" },
  },
];

/** The rack side of a cooling unit; units without a loop of their own have the facility's only. */
const coolant = (side: "Supply" | "Return"): ProfileSource[] =>
  ["SecondaryCoolantConnectors", "PrimaryCoolantConnectors"].map((path) => ({
    path,
    each_member: true,
    pointer: `/${side}TemperatureCelsius/Reading`,
  }));

export const REDFISH_PROFILES: Record<RedfishProfile, readonly ProfilePoint[]> = {
  chassis: [
    { field: "inlet_c", by_default: true, sources: air("Intake", ["*inlet*", "*intake*"]) },
    { field: "outlet_c", by_default: true, sources: air("Exhaust", ["*exhaust*", "*outlet*"]) },
    {
      field: "fan_rpm_pct",
      by_default: true,
      sources: [
        {
          path: "Thermal",
          select: { array: "/Fans", where: { ReadingUnits: "Percent" }, value: "Reading" },
        },
        { path: "ThermalSubsystem/Fans", each_member: true, pointer: "/SpeedPercent/Reading" },
        { path: "EnvironmentMetrics", select: { array: "/FanSpeedsPercent", where: {}, value: "Reading" } },
      ],
    },
    {
      field: "pdu_kw",
      unit: "watt",
      by_default: true,
      sources: [
        // Further items are parts of the first: processors, memory.
        { path: "Power", pointer: "/PowerControl/0/PowerConsumedWatts" },
        { path: "EnvironmentMetrics", pointer: "/PowerWatts/Reading" },
      ],
    },
  ],
  cdu: [
    {
      field: "pump_rpm_pct",
      by_default: true,
      sources: [{ path: "Pumps", each_member: true, pointer: "/PumpSpeedPercent/Reading" }],
    },
    { field: "inlet_c", by_default: false, sources: coolant("Supply") },
    { field: "outlet_c", by_default: false, sources: coolant("Return") },
  ],
};
