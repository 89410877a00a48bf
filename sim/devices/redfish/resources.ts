import { isoTime } from "../../../shared/time.ts";
import type { Instruments } from "../instruments.ts";
import { addControls } from "./controls.ts";
import { addCoolingUnit } from "./cooling-unit.ts";
import { addPower } from "./power.ts";
import { addSensors } from "./sensors.ts";
import type { RedfishSettings } from "./settings.ts";
import { addThermal } from "./thermal.ts";
import { CHASSIS, link, links, OK, type Resource, ROOT, resourceTree } from "./tree.ts";

/** Everything below the service root except the sessions. */
export function redfishResources(device: Instruments, settings: RedfishSettings): Map<string, Resource> {
  const tree = resourceTree();
  const { add, collect } = tree;
  collect(`${ROOT}/Chassis`, "Chassis", ["1"]);
  add(CHASSIS, "#Chassis.v1_25_0.Chassis", `Rack ${device.rack_id}`, () => ({
    ChassisType: "Rack",
    Manufacturer: "Skadi simulator",
    Model: "Hybrid-cooled rack, 12 kW",
    SerialNumber: `SIM${device.rack_id}`,
    PowerState: "On",
    Status: OK,
    ...links(CHASSIS, ["Thermal", "ThermalSubsystem", "Power", "PowerSubsystem", "EnvironmentMetrics"]),
    ...links(CHASSIS, ["Sensors", "Controls"]),
    Links: { ManagedBy: [link(`${ROOT}/Managers/1`)] },
  }));
  collect(`${ROOT}/Managers`, "Manager", ["1"]);
  add(`${ROOT}/Managers/1`, "#Manager.v1_19_0.Manager", "Rack Manager", () => ({
    ManagerType: "BMC",
    FirmwareVersion: "1.4.0",
    DateTime: isoTime(device.now_ms),
    Status: OK,
    Links: { ManagerForChassis: [link(CHASSIS)] },
  }));
  addSensors(tree, device);
  addThermal(tree, device);
  addPower(tree, device, settings);
  addControls(tree, settings);
  addCoolingUnit(tree, device, settings);
  return tree.resources;
}
