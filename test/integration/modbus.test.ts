import { createServer, type Server, type Socket } from "node:net";
import { ServerTCP } from "modbus-serial";
import { describe, expect, it, onTestFinished } from "vitest";
import { driveThroughGate } from "../../agent/actuators/gate.ts";
import { actuatorDriver } from "../../agent/actuators/index.ts";
import { sensorDriver } from "../../agent/sensors/index.ts";
import { modbusSensor } from "../../agent/sensors/modbus.ts";
import { AgentConfig } from "../../shared/contracts/agent-config.ts";
import { ModbusSensor } from "../../shared/contracts/devices/modbus.ts";
import { createLog } from "../../shared/log.ts";
import { systemClock } from "../../shared/time.ts";
import { eventually } from "../support/eventually.ts";

const signal = () => AbortSignal.timeout(10_000);

interface TestUnit {
  port: number;
  holding: Map<number, number>;
  input: Map<number, number>;
  coils: Map<number, boolean>;
  /** What was asked for: "holding 100+4". */
  requests: string[];
  up(port?: number): Promise<void>;
  down(): Promise<void>;
}

/** A Modbus TCP server: addresses that are not in its maps are illegal, as a unit's gaps are. */
async function testUnit(): Promise<TestUnit> {
  const illegal = () => Object.assign(new Error("illegal data address"), { modbusErrorCode: 2 });
  const several = (table: "holding" | "input") => (address: number, count: number, unit_id: number) => {
    unit.requests.push(`${table} ${address}+${count}${unit_id === 1 ? "" : ` of ${unit_id}`}`);
    return Array.from({ length: count }, (_, i) => {
      const value = unit[table].get(address + i);
      if (value === undefined) throw illegal();
      return value;
    });
  };
  // The library asks another way for one register than for several.
  const one = (table: "holding" | "input") => (address: number, unit_id: number) =>
    several(table)(address, 1, unit_id)[0]!;
  const vector = {
    getMultipleHoldingRegisters: several("holding"),
    getMultipleInputRegisters: several("input"),
    getHoldingRegister: one("holding"),
    getInputRegister: one("input"),
    getCoil: (address: number) => {
      const value = unit.coils.get(address);
      if (value === undefined) throw illegal();
      return value;
    },
    setRegister: (address: number, value: number) => {
      if (!unit.holding.has(address)) throw illegal();
      unit.requests.push(`set ${address}`);
      unit.holding.set(address, value);
    },
    setCoil: (address: number, value: boolean) => {
      unit.coils.set(address, value);
    },
  };
  let server: ServerTCP | undefined;
  const unit: TestUnit = {
    port: await freePort(),
    holding: new Map(),
    input: new Map(),
    coils: new Map(),
    requests: [],
    async up() {
      server = new ServerTCP(vector, { host: "127.0.0.1", port: unit.port, unitID: 255 });
      server.on("socketError", () => {});
      await new Promise<void>((resolve) => server!.on("initialized", () => resolve()));
    },
    async down() {
      const closing = server;
      server = undefined;
      if (closing) await new Promise<void>((resolve) => closing.close(() => resolve()));
    },
  };
  onTestFinished(() => unit.down());
  await unit.up();
  return unit;
}

async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listening(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return typeof address === "object" && address ? address.port : 0;
}

const sensorOf = (port: number, raw: object) =>
  modbusSensor(ModbusSensor.parse({ name: "cdu", driver: "modbus", host: "127.0.0.1", port, ...raw }));

const point = (raw: object) => ({ field: "inlet_c", ...raw });

async function read(port: number, raw: object) {
  const device = sensorOf(port, raw);
  await device.open();
  try {
    return await device.read(signal());
  } finally {
    await device.close();
  }
}

describe("Modbus sensors", () => {
  it("are read by type, order of words and table, neighbours in one request", async () => {
    const unit = await testUnit();
    const registers = [0xff9c, 0x41bb, 0x3333, 0x3333, 0x41bb, 0, 0xffff, 0xfffe];
    for (const [i, value] of registers.entries()) unit.holding.set(100 + i, value);
    unit.input.set(7, 500);
    unit.coils.set(3, true);
    const readings = await read(unit.port, {
      points: [
        point({ address: 100, type: "int16" }),
        point({ address: 101, type: "float32" }),
        point({ address: 103, type: "float32", word_order: "little" }),
        point({ address: 106, type: "int32" }),
        point({ address: 7, table: "input" }),
        point({ address: 3, table: "coil" }),
      ],
    });
    const values = readings.map((reading) => reading.values[0]);
    expect(values).toEqual([-100, expect.closeTo(23.4), expect.closeTo(23.4), -2, 500, 1]);
    expect(unit.requests).toEqual(["holding 100+8", "input 7+1"]);
  });

  it("are silent where the register holds the value that means none", async () => {
    const unit = await testUnit();
    for (const [i, value] of [0x8000, 215, 0x7fc0, 0].entries()) unit.holding.set(i, value);
    const [probes, float] = await read(unit.port, {
      points: [
        point({ address: [0, 1], type: "int16", no_value: [0x8000] }),
        point({ address: 2, type: "float32" }),
      ],
    });
    expect(probes).toEqual({ values: [null, 215], reason: "holding 0 is -32768" });
    expect(float?.values).toEqual([null]);
  });

  it("behind a gateway are told apart by their unit", async () => {
    const unit = await testUnit();
    unit.holding.set(1, 11);
    await read(unit.port, { unit_id: 5, points: [point({ address: 1 }), point({ address: 1, unit_id: 6 })] });
    expect(unit.requests).toEqual(["holding 1+1 of 5", "holding 1+1 of 6"]);
  });

  it("with gaps that must not be read are read one by one from then on", async () => {
    const unit = await testUnit();
    unit.holding.set(10, 1);
    unit.holding.set(14, 2);
    const device = sensorOf(unit.port, { points: [point({ address: 10 }), point({ address: 14 })] });
    await device.open();
    for (let i = 0; i < 2; i++) {
      expect((await device.read(signal())).map(({ values }) => values[0])).toEqual([1, 2]);
    }
    expect(unit.requests.slice(1)).toEqual(["holding 10+1", "holding 14+1", "holding 10+1", "holding 14+1"]);
    await device.close();
  });

  it("name an illegal address: of one point as its reason, of all as a failure", async () => {
    const unit = await testUnit();
    unit.holding.set(10, 1);
    const [good, bad] = await read(unit.port, { points: [point({ address: 10 }), point({ address: 999 })] });
    expect(good?.values).toEqual([1]);
    expect(bad?.values).toEqual([null]);
    expect(bad?.reason).toMatch(/field holding 999; .* unit 1 at 127\.0\.0\.1:\d+ \(.*Illegal data address/);
    await expect(read(unit.port, { points: [point({ address: 998 })] })).rejects.toThrow("field holding 998");
  });

  it("feed the agent's fields", async () => {
    const unit = await testUnit();
    unit.input.set(10, 234);
    const points = [{ field: "inlet_c", table: "input", address: [10, 11], type: "int16", scale: 0.1 }];
    const device = { name: "cdu", driver: "modbus", host: "127.0.0.1", port: unit.port, points };
    const { sensors } = AgentConfig.parse({ rack_id: "R-A-01", sensors: { devices: [device] } });
    const driver = sensorDriver(sensors, systemClock(), createLog("test", "silent"));
    await driver.open();
    expect((await driver.read()).values).toMatchObject({ inlet_c: expect.closeTo(23.4), outlet_c: null });
    await driver.close();
  });

  it("go away and come back, over a new connection", async () => {
    const unit = await testUnit();
    unit.holding.set(1, 7);
    const device = sensorOf(unit.port, { points: [point({ address: 1 })], timeout_s: 1 });
    await device.open();
    expect((await device.read(signal()))[0]?.values).toEqual([7]);
    await unit.down();
    await expect(device.read(signal())).rejects.toThrow(/127\.0\.0\.1:\d+/);
    await unit.up();
    await eventually("it is read again", async () => (await device.read(signal()))[0]?.values[0] === 7);
    await device.close();
  });

  it("that cannot be reached say so", async () => {
    const port = await freePort();
    await expect(read(port, { points: [point({ address: 1 })] })).rejects.toThrow(
      new RegExp(`unit 1 at 127.0.0.1:${port} \\(.*ECONNREFUSED`),
    );
  });

  it("leave nothing open behind, however often they are opened and closed", async () => {
    const unit = await testUnit();
    unit.holding.set(1, 7);
    const handles = () =>
      process.getActiveResourcesInfo().filter((name) => /TCP.*Wrap|Timeout/.test(name)).length;
    const before = handles();
    const device = sensorOf(unit.port, { points: [point({ address: 1 })] });
    for (let i = 0; i < 200; i++) {
      await device.open();
      if (i % 2 === 0) await device.read(signal());
      await device.close();
    }
    await eventually("all handles are closed", () => handles() <= before);
  });
});

describe("a Modbus device that answers late", () => {
  /** Answers each request with the number of the request, after a delay for the first one. */
  async function slowDevice(first_delay_ms: number) {
    let requests = 0;
    const sockets: Socket[] = [];
    const server = createServer((socket) => {
      sockets.push(socket);
      socket.on("error", () => {});
      socket.on("data", (asked) => {
        requests++;
        const answer = Buffer.from([...asked.subarray(0, 4), 0, 5, asked[6]!, asked[7]!, 2, 0, requests]);
        setTimeout(() => socket.write(answer), requests === 1 ? first_delay_ms : 0);
      });
    });
    const port = await listening(server);
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    return { port, sockets };
  }

  it("is given up when the collector does; its answer is never taken for the next one's", async () => {
    const { port, sockets } = await slowDevice(150);
    const device = sensorOf(port, { points: [point({ address: 1 })] });
    await device.open();
    await expect(device.read(AbortSignal.timeout(50))).rejects.toThrow();
    await eventually("the connection is closed", () => sockets[0]?.destroyed);
    expect((await device.read(signal()))[0]?.values).toEqual([2]);
    await device.close();
  });

  it("is named when it does not answer in time", async () => {
    const { port, sockets } = await slowDevice(5_000);
    const device = sensorOf(port, { points: [point({ address: 40 })], timeout_s: 0.2 });
    await device.open();
    await expect(device.read(signal())).rejects.toThrow(
      new RegExp(
        `holding 40; expected an answer of unit 1 at 127.0.0.1:${port} \\(no answer within 0.16 s\\)`,
      ),
    );
    await eventually("the connection is closed", () => sockets[0]?.destroyed);
    await device.close();
  });
});

describe("Modbus drives", () => {
  const clock = systemClock();
  const log = createLog("test", "silent");

  async function pump(extra: object = {}) {
    const unit = await testUnit();
    for (const [address, value] of [
      [20, 0],
      [21, 600],
      [22, 0],
    ] as const) {
      unit.holding.set(address, value);
    }
    unit.coils.set(5, false);
    const target = {
      target: "pump_rpm_pct",
      address: 21,
      scale: 10,
      auto: { address: 20, automatic: 0, manual: 1 },
      ...extra,
    };
    const drive = { name: "cdu", driver: "modbus", host: "127.0.0.1", port: unit.port, targets: [target] };
    const config = AgentConfig.parse({ rack_id: "R-A-01", drives: [drive] });
    const driver = actuatorDriver(config, clock, log);
    onTestFinished(() => driver.close());
    const gate = (value: number | null) =>
      driveThroughGate(
        driver,
        config.actuators,
        { target: "pump_rpm_pct", value, mode: "closed_loop" },
        clock,
      );
    return { unit, driver, gate };
  }

  it("are given the setpoint, then the mode; and are handed back", async () => {
    const { unit, gate } = await pump();
    expect(await gate(65)).toMatchObject({ outcome: "applied", from: null, now: 65 });
    expect(unit.requests.filter((r) => r.startsWith("set"))).toEqual(["set 21", "set 20"]);
    expect(unit.holding.get(21)).toBe(650);
    expect(await gate(null)).toMatchObject({ outcome: "applied", from: 65, now: null });
    expect(unit.holding.get(20)).toBe(0);
  });

  it("may have their mode in a coil and their setpoint in two registers", async () => {
    const auto = { table: "coil", address: 5, automatic: 0, manual: 1 };
    const { unit, gate } = await pump({ auto, type: "float32", word_order: "little", scale: 1 });
    expect(await gate(65.5)).toMatchObject({ outcome: "applied", from: null, now: 65.5 });
    expect([unit.holding.get(21), unit.holding.get(22), unit.coils.get(5)]).toEqual([0, 0x4283, true]);
  });

  it("that are refused do not keep others on the same device from their fail-safe", async () => {
    const unit = await testUnit();
    unit.holding.set(1, 50);
    unit.holding.set(2, 50);
    const targets = [
      { target: "fan_rpm_pct", address: 99, read: { address: 1 } },
      { target: "pump_rpm_pct", address: 2 },
    ];
    const actuators = { fan_rpm_pct: { fail_safe: 80 }, pump_rpm_pct: { fail_safe: 70 } };
    const drive = { name: "cdu", driver: "modbus", host: "127.0.0.1", port: unit.port, targets };
    const config = AgentConfig.parse({ rack_id: "R-A-01", actuators, drives: [drive] });
    const driver = actuatorDriver(config, clock, log);
    await expect(driver.failSafe()).rejects.toThrow(/fan_rpm_pct: .*holding 99/);
    expect(unit.holding.get(2)).toBe(70);
    await driver.close();
  });

  it("never wrap: what the register cannot hold is not sent", async () => {
    const { unit, driver } = await pump({ scale: 1000 });
    await expect(driver.write("pump_rpm_pct", 66)).rejects.toThrow("0 to 65535 (uint16)");
    expect(unit.holding.get(21)).toBe(600);
  });

  it("in a mode that nobody told us about are not driven", async () => {
    const { unit, gate } = await pump();
    unit.holding.set(20, 3);
    const { outcome, rejection } = await gate(65);
    expect(outcome).toBe("refused");
    expect(rejection?.message).toContain("0 (automatic) or 1 (manual) at holding 20");
    expect(unit.holding.get(21)).toBe(600);
  });

  it("that refuse are told with address and reason", async () => {
    const { gate } = await pump({ address: 77, read: { address: 21 }, auto: undefined });
    const { outcome, rejection } = await gate(65);
    expect(outcome).toBe("refused");
    expect(rejection?.message).toMatch(/field holding 77; .* of unit 1 .*Illegal data address/);
  });
});
