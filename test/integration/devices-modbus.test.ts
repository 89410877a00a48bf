import { describe, expect, it } from "vitest";
import { AUTOMATIC, MANUAL, NO_VALUE_16 } from "../../sim/devices/modbus/registers.ts";
import { modbusClient, RACK, startDevices } from "./devices-harness.ts";

const PUMP_SPEED = 0;
const RETURN_TEMPERATURE = 3;
const OUTLET_TEMPERATURE = 5;
const STATUS = 8;
const FLOW = 10;
const FLOW_SWAPPED = 12;
const PUMP_MODE = 0;
const PUMP_SETPOINT = 1;
const FAN_MODE = 2;
const FAN_SETPOINT = 3;

describe("the CDU over Modbus TCP", () => {
  it("gives scaled integers, and single-precision floats in both word orders", async () => {
    const { plant, devices } = await startDevices();
    const client = await modbusClient(devices);
    const { data, buffer } = await client.readInputRegisters(0, 18);
    const { pump_rpm_pct, outlet_c } = plant.read(RACK);
    expect(data[PUMP_SPEED]! / 10).toBeCloseTo(pump_rpm_pct!, 5);
    expect(data[OUTLET_TEMPERATURE]! / 10).toBeCloseTo(outlet_c!, 5);

    const flow_lpm = buffer.readFloatBE(FLOW * 2);
    expect(flow_lpm).toBeCloseTo(16 * plant.truth(RACK).coolant_flow_share, 4);
    expect(data.slice(FLOW_SWAPPED, FLOW_SWAPPED + 2)).toEqual([data[FLOW + 1], data[FLOW]]);
    // The loop carries the heat that the plant says it does.
    const rise_k = data[RETURN_TEMPERATURE]! / 10 - 25;
    expect((flow_lpm / 60) * 3.98 * rise_k).toBeCloseTo(plant.truth(RACK).liquid_kw, 1);
  });

  it("drives the pump by setpoint, and gives it back by mode", async () => {
    const { plant, clock, devices } = await startDevices();
    const client = await modbusClient(devices);
    await client.writeRegister(PUMP_SETPOINT, 805);
    expect(plant.target(RACK, "pump_rpm_pct")).toBe(80.5);
    clock.advance(120_000);
    expect(plant.truth(RACK).pump_rpm_pct).toBeCloseTo(80.5, 0);
    expect((await client.readHoldingRegisters(PUMP_MODE, 2)).data).toEqual([MANUAL, 805]);
    expect((await client.readInputRegisters(STATUS, 1)).data[0]! & 2).toBe(2);

    await client.writeRegister(PUMP_MODE, AUTOMATIC);
    expect(plant.target(RACK, "pump_rpm_pct")).toBeNull();
    await client.writeRegister(PUMP_MODE, MANUAL);
    expect(plant.target(RACK, "pump_rpm_pct")).toBe(80.5);
  });

  it("writes several registers as one, or none of them", async () => {
    const { plant, devices } = await startDevices();
    const client = await modbusClient(devices);
    await client.writeRegisters(PUMP_MODE, [MANUAL, 700, MANUAL, 900]);
    expect(plant.target(RACK, "pump_rpm_pct")).toBe(70);
    expect(plant.target(RACK, "fan_rpm_pct")).toBe(90);

    await expect(client.writeRegisters(PUMP_MODE, [AUTOMATIC, 700, MANUAL, 1001])).rejects.toThrow();
    expect(plant.target(RACK, "pump_rpm_pct")).toBe(70);
    expect(plant.target(RACK, "fan_rpm_pct")).toBe(90);
  });

  it.each([
    ["a fan setpoint below the range", FAN_SETPOINT, 399, 3],
    ["a fan setpoint above the range", FAN_SETPOINT, 1001, 3],
    ["a pump setpoint above the range", PUMP_SETPOINT, 901, 3],
    ["a mode that there is not", FAN_MODE, 2, 3],
    ["an address that there is not", 40, 1, 2],
  ])("refuses %s, and nothing changes", async (_what, address, value, modbusCode) => {
    const { plant, devices } = await startDevices();
    const client = await modbusClient(devices);
    await expect(client.writeRegister(address, value)).rejects.toMatchObject({ modbusCode });
    expect(plant.target(RACK, "fan_rpm_pct")).toBeNull();
    expect(plant.target(RACK, "pump_rpm_pct")).toBeNull();
  });

  it("answers reads beyond the map with exception 2, and coils with exception 1", async () => {
    const { devices } = await startDevices();
    const client = await modbusClient(devices);
    await expect(client.readInputRegisters(17, 2)).rejects.toMatchObject({ modbusCode: 2 });
    await expect(client.readHoldingRegisters(4, 1)).rejects.toMatchObject({ modbusCode: 2 });
    await expect(client.readCoils(0, 1)).rejects.toMatchObject({ modbusCode: 1 });
  });

  it("serves many clients, and no other unit than its own", async () => {
    const { devices } = await startDevices({ unit_id: 7 });
    const clients = await Promise.all(Array.from({ length: 5 }, () => modbusClient(devices)));
    const answers = await Promise.all(clients.map((client) => client.readInputRegisters(PUMP_SPEED, 4)));
    expect(new Set(answers.map(({ data }) => data.join())).size).toBe(1);
    const wrong = await modbusClient(devices, 8);
    await expect(wrong.readInputRegisters(PUMP_SPEED, 1)).rejects.toThrow(/timed out/i);
  });

  it("marks a lost reading with 8000h and a bit of the status word", async () => {
    const { plant, devices } = await startDevices();
    plant.inject({ kind: "sensor_dropout", rack_id: RACK, field: "pump_rpm_pct", severity: 1 });
    const client = await modbusClient(devices);
    expect((await client.readInputRegisters(PUMP_SPEED, 1)).data).toEqual([NO_VALUE_16]);
    expect((await client.readInputRegisters(STATUS, 1)).data[0]! & 8).toBe(8);
  });
});
