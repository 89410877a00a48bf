import { type Instruments, PROBES } from "../instruments.ts";
import { CHASSIS, excerpt, links, OK, type ResourceTree, rounded, rpm, statusOfValue } from "./tree.ts";

export const FANS = ["Fan 1", "Fan 2", "Fan 3", "Fan 4"];
export const FAN_FULL_RPM = 9_000;

/** The older Thermal resource, and the ThermalSubsystem that replaced it; services in the field have either or both. */
export function addThermal({ add, collect }: ResourceTree, device: Instruments): void {
  const temperature = (
    index: number,
    name: string,
    context: string,
    value: number | null,
    critical: number,
  ) => ({
    "@odata.id": `${CHASSIS}/Thermal#/Temperatures/${index}`,
    MemberId: String(index),
    Name: name,
    PhysicalContext: context,
    ReadingCelsius: rounded(value),
    UpperThresholdCritical: critical,
    Status: statusOfValue(value),
  });
  add(`${CHASSIS}/Thermal`, "#Thermal.v1_7_1.Thermal", "Thermal", () => {
    const { inlet_c, outlet_c, fan_rpm_pct } = device.read();
    return {
      Temperatures: [
        temperature(0, "Inlet Temp", "Intake", inlet_c, 32),
        temperature(1, "Exhaust Temp", "Exhaust", outlet_c, 60),
      ],
      Fans: FANS.map((name, i) => ({
        "@odata.id": `${CHASSIS}/Thermal#/Fans/${i}`,
        MemberId: String(i),
        Name: name,
        Reading: rounded(fan_rpm_pct),
        ReadingUnits: "Percent",
        MinReadingRange: 0,
        MaxReadingRange: 100,
        Status: statusOfValue(fan_rpm_pct),
      })),
    };
  });
  const subsystem = `${CHASSIS}/ThermalSubsystem`;
  add(subsystem, "#ThermalSubsystem.v1_3_0.ThermalSubsystem", "Thermal Subsystem", () => ({
    ...links(subsystem, ["Fans", "ThermalMetrics"]),
    Status: OK,
  }));
  const metrics = `${subsystem}/ThermalMetrics`;
  add(metrics, "#ThermalMetrics.v1_3_0.ThermalMetrics", "Thermal Metrics", () => {
    const { inlet_c, outlet_c } = device.read();
    return {
      TemperatureSummaryCelsius: {
        Intake: excerpt(inlet_c, "InletTemp"),
        Exhaust: excerpt(outlet_c, "ExhaustTemp"),
      },
      TemperatureReadingsCelsius: PROBES.map(({ name }, i) => ({
        DeviceName: name,
        ...excerpt(device.probes_c()[i]!, `Probe${i + 1}`),
      })),
    };
  });
  collect(
    `${subsystem}/Fans`,
    "Fan",
    FANS.map((_, i) => String(i + 1)),
  );
  FANS.forEach((name, i) => {
    add(`${subsystem}/Fans/${i + 1}`, "#Fan.v1_5_0.Fan", name, () => {
      const { fan_rpm_pct } = device.read();
      return {
        PhysicalContext: "Exhaust",
        SpeedPercent: { ...excerpt(fan_rpm_pct, "FanSpeed"), SpeedRPM: rpm(fan_rpm_pct, FAN_FULL_RPM) },
        Status: statusOfValue(fan_rpm_pct),
      };
    });
  });
}
