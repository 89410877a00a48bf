import { createSocket } from "node:dgram";
import { describe, expect, it, onTestFinished } from "vitest";
import { driveThroughGate } from "../../agent/actuators/gate.ts";
import { actuatorDriver } from "../../agent/actuators/index.ts";
import { snmpSources } from "../../agent/devices/snmp-sources.ts";
import { sensorDriver } from "../../agent/sensors/index.ts";
import { pointSignal } from "../../agent/sensors/signal.ts";
import { snmpSensor } from "../../agent/sensors/snmp.ts";
import { AgentConfig } from "../../shared/contracts/agent-config.ts";
import { SnmpSensor } from "../../shared/contracts/devices/snmp.ts";
import { createLog } from "../../shared/log.ts";
import { systemClock } from "../../shared/time.ts";
import { hasProgram } from "../support/debian-packages.ts";
import { eventually } from "../support/eventually.ts";
import { SNMP_USERS, type SnmpValues, startSnmpd } from "../support/snmpd.ts";

const OWN = "1.3.6.1.4.1.99999";
const signal = () => AbortSignal.timeout(10_000);

/** The fields that a sensor feeds, as the collector would compute them from one reading. */
async function fieldsOf(raw: object): Promise<Record<string, number | null>> {
  const config = SnmpSensor.parse({ name: "pdu", driver: "snmp", host: "127.0.0.1", ...raw });
  const device = snmpSensor(config);
  await device.open();
  try {
    const readings = await device.read(signal());
    const points = snmpSources(config);
    return Object.fromEntries(points.map((p, i) => [p.field, pointSignal(p)(0, readings[i]!).value]));
  } finally {
    await device.close();
  }
}

/** Stands before an agent, counts requests, and answers those that are longer than a limit with tooBig. */
async function countingProxy(agent_port: number, bytes_max: number) {
  const front = createSocket("udp4");
  const back = createSocket("udp4");
  await new Promise<void>((resolve) => front.bind(0, "127.0.0.1", resolve));
  const proxy = { port: front.address().port, requests: 0 };
  let client = 0;
  front.on("message", (request, from) => {
    proxy.requests++;
    client = from.port;
    if (request.length <= bytes_max) return back.send(request, agent_port, "127.0.0.1");
    const answer = Buffer.from(request);
    // Request id, error-status and error-index, then the list: the request becomes a response with status 1.
    answer[answer.indexOf(Buffer.from("020100020100", "hex")) + 2] = 1;
    answer[answer.indexOf(0xa0)] = 0xa2;
    front.send(answer, client, "127.0.0.1");
  });
  back.on("message", (answer) => front.send(answer, client, "127.0.0.1"));
  onTestFinished(() => {
    front.close();
    back.close();
  });
  return proxy;
}

const point = (raw: object) => ({ field: "queue_depth", ...raw });

describe.runIf(hasProgram("snmpd"))("SNMP sensors, against Debian's snmpd", () => {
  const TYPES: SnmpValues = {
    [`${OWN}.1.0`]: ["integer", -7],
    [`${OWN}.2.0`]: ["gauge", 4_000_000_000],
    [`${OWN}.3.0`]: ["counter", 4_294_967_290],
    [`${OWN}.4.0`]: ["counter64", "9000000000000"],
    [`${OWN}.5.0`]: ["string", "23.4"],
    [`${OWN}.6.0`]: ["string", "not installed"],
    [`${OWN}.7.0`]: ["integer", 2_147_483_647],
    [`${OWN}.8.1.1`]: ["integer", 11],
    [`${OWN}.8.1.2`]: ["integer", -1],
    [`${OWN}.8.1.7`]: ["integer", 13],
    [`${OWN}.8.2.1`]: ["integer", 99],
  };

  async function read(port: number, raw: object) {
    const config = { name: "pdu", driver: "snmp", host: "127.0.0.1", port, community: "secret", ...raw };
    const device = snmpSensor(SnmpSensor.parse(config));
    await device.open();
    const readings = await device.read(signal());
    await device.close();
    return readings;
  }

  it("are read as numbers whatever their type, and as silent where there is no number", async () => {
    const { port } = await startSnmpd(TYPES);
    const oids = [1, 2, 3, 4, 5, 6, 7, 99].map((n) => `.${OWN}.${n}.0`);
    const [reading] = await read(port, { no_value: [2_147_483_647], points: [point({ oids })] });
    expect(reading?.values).toEqual([-7, 4e9, 4_294_967_290, 9e12, 23.4, null, null, null]);
    expect(reading?.reason).toContain(`no number at ${OWN}.6.0`);
    expect(reading?.reason).toContain(`${OWN}.7.0 is 2147483647`);
    expect(reading?.reason).toMatch(/NoSuch(Instance|Object): 1.3.6.1.4.1.99999.99.0/);
  });

  it("tell opaque floats, such as the load of the host", async () => {
    const { port } = await startSnmpd({});
    const [reading] = await read(port, { points: [point({ oid: "1.3.6.1.4.1.2021.10.1.6.1" })] });
    expect(reading?.values[0]).toBeGreaterThanOrEqual(0);
  });

  it("of a column are all its rows, or those that are named", async () => {
    const { port } = await startSnmpd(TYPES);
    const [all, some] = await read(port, {
      points: [
        point({ column: `${OWN}.8.1`, no_value: [-1] }),
        point({ column: `${OWN}.8.1`, instances: [7, 4] }),
      ],
    });
    expect(all?.values).toEqual([11, null, 13]);
    expect(some?.values).toEqual([13, null]);
  });

  it("of a long column come in several answers", async () => {
    const rows = Array.from({ length: 75 }, (_, i) => [`${OWN}.8.1.${i + 1}`, ["integer", i]] as const);
    const { port } = await startSnmpd(Object.fromEntries(rows));
    const [reading] = await read(port, { points: [point({ column: `${OWN}.8.1` })] });
    expect(reading?.values).toEqual(rows.map((_, i) => i));
  });

  it("are asked for in as few requests as the agent allows", async () => {
    const snmpd = await startSnmpd(TYPES);
    const proxy = await countingProxy(snmpd.port, 300);
    const oids = Array.from({ length: 30 }, (_, i) => `${OWN}.8.1.${i + 1}`);
    const expected = oids.map((_, i) => ({ 0: 11, 1: -1, 6: 13 })[i] ?? null);
    for (const [pdu_oids, requests] of [
      [10, 3],
      [15, 2],
      // 30 are too big for it, twice 15 are not.
      [30, 3],
    ] as const) {
      proxy.requests = 0;
      const [reading] = await read(proxy.port, { pdu_oids, points: [point({ oids })] });
      expect(reading?.values).toEqual(expected);
      expect(proxy.requests).toBe(requests);
    }
  });

  it("keep a row that has vanished as a silent one", async () => {
    const snmpd = await startSnmpd(TYPES);
    const config = { name: "pdu", driver: "snmp", host: "127.0.0.1", port: snmpd.port, community: "secret" };
    const device = snmpSensor(SnmpSensor.parse({ ...config, points: [point({ column: `${OWN}.8.1` })] }));
    await device.open();
    expect((await device.read(signal()))[0]?.values).toEqual([11, -1, 13]);
    snmpd.tell({ [`${OWN}.8.1.1`]: ["integer", 11] });
    expect((await device.read(signal()))[0]?.values).toEqual([11, null, null]);
    await device.open();
    expect((await device.read(signal()))[0]?.values).toEqual([11, null, null]);
    await device.close();
  });

  it("that do not tell everything yet, as after their start, are asked again with the next read", async () => {
    const px = "1.3.6.1.4.1.13742.6";
    const values: SnmpValues = {
      [`${px}.5.2.3.1.2.1.1.5`]: ["integer", 1],
      [`${px}.5.2.3.1.4.1.1.5`]: ["gauge", 8100],
    };
    const snmpd = await startSnmpd(values);
    const config = { name: "pdu", driver: "snmp", host: "127.0.0.1", port: snmpd.port, community: "secret" };
    const device = snmpSensor(
      SnmpSensor.parse({ ...config, profile: "raritan_px", points: [point({ column: `${OWN}.8.1` })] }),
    );
    await device.open();
    const [power, rows] = await device.read(signal());
    expect(power?.values).toEqual([null]);
    expect(power?.reason).toContain(`${px}.3.3.4.1.7.1.1.5`);
    expect(rows).toEqual({ values: [], reason: "its column has no rows" });
    snmpd.tell({ [`${px}.3.3.4.1.7.1.1.5`]: ["gauge", 1], ...values, [`${OWN}.8.1.4`]: ["integer", 5] });
    expect((await device.read(signal())).map((reading) => reading.values)).toEqual([[810], [5]]);
    await device.close();
  });

  it.each(Object.entries(SNMP_USERS))("are read with SNMPv3 as user %s", async (_, user) => {
    const { port } = await startSnmpd(TYPES);
    const points = [point({ oid: `${OWN}.5.0` })];
    const [reading] = await read(port, { community: undefined, user, points });
    expect(reading?.values).toEqual([23.4]);
  });

  it("refuse a wrong SNMPv3 password, and say so", async () => {
    const { port } = await startSnmpd(TYPES);
    const user = { ...SNMP_USERS.priv, auth: { protocol: "sha256", password: "wrong-secret" } };
    const reading = read(port, { community: undefined, user, points: [point({ oid: `${OWN}.5.0` })] });
    await expect(reading).rejects.toThrow(/127\.0\.0\.1:\d+ .*(Wrong Digests|digest|Authentic)/i);
  });

  it("do not answer a wrong community, which reads like an unreachable host", async () => {
    const { port } = await startSnmpd(TYPES);
    const wrong = { community: "wrong", timeout_s: 0.5, points: [point({ oid: `${OWN}.5.0` })] };
    await expect(read(port, wrong)).rejects.toThrow(
      /answer from 127\.0\.0\.1:\d+ within 0\.4 s \(unreachable, or it does not know this community\)/,
    );
  });

  it("go away and come back", async () => {
    const snmpd = await startSnmpd(TYPES);
    for (const who of [{ community: "secret" }, { user: SNMP_USERS.priv }]) {
      const config = {
        name: "pdu",
        driver: "snmp",
        host: "127.0.0.1",
        port: snmpd.port,
        ...who,
        timeout_s: 0.5,
      };
      const device = snmpSensor(SnmpSensor.parse({ ...config, points: [point({ oid: `${OWN}.5.0` })] }));
      await device.open();
      expect((await device.read(signal()))[0]?.values).toEqual([23.4]);
      await snmpd.stop();
      await expect(device.read(signal())).rejects.toThrow("unreachable");
      await snmpd.start();
      await eventually("it is read again", async () => (await device.read(signal()))[0]?.values[0] === 23.4);
      await device.close();
    }
  });

  it("feed the agent's fields", async () => {
    const { port } = await startSnmpd(TYPES);
    const device = { name: "pdu", driver: "snmp", host: "127.0.0.1", port, community: "secret" };
    const points = [
      { field: "inlet_c", oid: `${OWN}.5.0` },
      { field: "pdu_kw", oid: `${OWN}.2.0`, unit: "milliwatt" },
      { field: "outlet_c", oid: `${OWN}.6.0` },
    ];
    const { sensors } = AgentConfig.parse({
      rack_id: "R-A-01",
      sensors: { devices: [{ ...device, points }] },
    });
    const driver = sensorDriver(sensors, systemClock(), createLog("test", "silent"));
    await driver.open();
    const { values } = await driver.read();
    expect(values).toMatchObject({ inlet_c: 23.4, pdu_kw: 4000, outlet_c: null, fan_rpm_pct: null });
    await driver.close();
  });

  it("tell no rate when a counter wraps, and the right one after it", async () => {
    const snmpd = await startSnmpd(TYPES);
    const points = [{ field: "tokens_ps", unit: "total", oid: `${OWN}.3.0` }];
    const config = SnmpSensor.parse({
      name: "pdu",
      driver: "snmp",
      host: "127.0.0.1",
      port: snmpd.port,
      community: "secret",
      points,
    });
    const device = snmpSensor(config);
    await device.open();
    const rate = pointSignal(snmpSources(config)[0]!);
    const at = async (at_ms: number) => rate(at_ms, (await device.read(signal()))[0]!).value;
    await at(0);
    snmpd.tell({ [`${OWN}.3.0`]: ["counter", 4] });
    expect(await at(1000)).toBeNull();
    snmpd.tell({ [`${OWN}.3.0`]: ["counter", 14] });
    expect(await at(2000)).toBe(10);
    await device.close();
  });
});

describe.runIf(hasProgram("snmpd"))("ready profiles", () => {
  const probes = { inlet_probes: [1], outlet_probes: [2] };

  it("apc_rpdu2: hundredths of a kilowatt and tenths of a degree, of probes that are there", async () => {
    const apc = "1.3.6.1.4.1.318.1.1.26";
    const { port } = await startSnmpd({
      [`${apc}.4.3.1.5.1`]: ["integer", 812],
      [`${apc}.10.2.2.1.6.1`]: ["integer", 2],
      [`${apc}.10.2.2.1.6.2`]: ["integer", 3],
      [`${apc}.10.2.2.1.8.1`]: ["integer", 239],
      [`${apc}.10.2.2.1.8.2`]: ["integer", 361],
    });
    const fields = await fieldsOf({ port, community: "secret", profile: "apc_rpdu2", ...probes });
    expect(fields).toEqual({ pdu_kw: expect.closeTo(8.12), inlet_c: expect.closeTo(23.9), outlet_c: null });
  });

  it("raritan_px: each value has its own number of decimal digits, and its unit", async () => {
    const px = "1.3.6.1.4.1.13742.6";
    const { port } = await startSnmpd({
      [`${px}.3.3.4.1.7.1.1.5`]: ["gauge", 1],
      [`${px}.3.6.3.1.2.1.1`]: ["integer", 10],
      [`${px}.3.6.3.1.2.1.2`]: ["integer", 10],
      [`${px}.3.6.3.1.16.1.1`]: ["integer", 7],
      [`${px}.3.6.3.1.16.1.2`]: ["integer", 14],
      [`${px}.3.6.3.1.17.1.1`]: ["gauge", 1],
      [`${px}.3.6.3.1.17.1.2`]: ["gauge", 2],
      [`${px}.5.2.3.1.2.1.1.5`]: ["integer", 1],
      [`${px}.5.2.3.1.4.1.1.5`]: ["gauge", 81_234],
      [`${px}.5.5.3.1.2.1.1`]: ["integer", 1],
      [`${px}.5.5.3.1.2.1.2`]: ["integer", 1],
      [`${px}.5.5.3.1.4.1.1`]: ["integer", 215],
      [`${px}.5.5.3.1.4.1.2`]: ["integer", 9_500],
    });
    const fields = await fieldsOf({ port, community: "secret", profile: "raritan_px", ...probes });
    expect(fields).toEqual({
      pdu_kw: expect.closeTo(8.1234),
      inlet_c: expect.closeTo(21.5),
      outlet_c: expect.closeTo(35),
    });
  });

  it("raritan_px: a humidity probe is no inlet", async () => {
    const px = "1.3.6.1.4.1.13742.6";
    const { port } = await startSnmpd({
      [`${px}.3.6.3.1.2.1.1`]: ["integer", 11],
      [`${px}.3.6.3.1.16.1.1`]: ["integer", 9],
      [`${px}.3.6.3.1.17.1.1`]: ["gauge", 0],
      [`${px}.5.5.3.1.2.1.1`]: ["integer", 1],
      [`${px}.5.5.3.1.4.1.1`]: ["integer", 45],
    });
    const raw = { port, community: "secret", profile: "raritan_px", power: [], inlet_probes: [1] };
    expect(await fieldsOf(raw)).toEqual({ inlet_c: null });
  });

  it.each([
    ["vertiv_geist", 4],
    ["vertiv_geist_thd", 9],
  ])("%s: tenths of the degrees that the PDU is set to", async (profile, table) => {
    const geist = "1.3.6.1.4.1.21239.5.2";
    const values = (units: number, inlet: number): SnmpValues => ({
      [`${geist}.1.7.0`]: ["integer", units],
      [`${geist}.3.1.1.9.1`]: ["gauge", 7650],
      [`${geist}.${table}.1.4.1`]: ["gauge", 1],
      [`${geist}.${table}.1.4.2`]: ["gauge", 0],
      [`${geist}.${table}.1.5.1`]: ["integer", inlet],
      [`${geist}.${table}.1.5.2`]: ["integer", 0],
    });
    const snmpd = await startSnmpd(values(1, 225));
    const raw = { port: snmpd.port, community: "secret", profile, ...probes };
    expect(await fieldsOf(raw)).toEqual({ pdu_kw: 7.65, inlet_c: expect.closeTo(22.5), outlet_c: null });
    snmpd.tell(values(0, 725));
    expect(await fieldsOf(raw)).toEqual({ pdu_kw: 7.65, inlet_c: expect.closeTo(22.5), outlet_c: null });
  });

  it("entity_sensor: scale, precision, type and status of RFC 3433", async () => {
    const entity = "1.3.6.1.2.1.99.1.1.1";
    const sensor = (row: number, type: number, scale: number, precision: number, value: number, ok = 1) => [
      [`${entity}.1.${row}`, ["integer", type]],
      [`${entity}.2.${row}`, ["integer", scale]],
      [`${entity}.3.${row}`, ["integer", precision]],
      [`${entity}.4.${row}`, ["integer", value]],
      [`${entity}.5.${row}`, ["integer", ok]],
    ];
    const rows = [
      ...sensor(10, 8, 9, 1, 234),
      ...sensor(11, 8, 8, 0, 36_500),
      ...sensor(12, 6, 10, 2, 415),
      ...sensor(13, 6, 9, 0, 4100),
    ].sort(([a], [b]) => (a as string).localeCompare(b as string, "en", { numeric: true }));
    const { port } = await startSnmpd(Object.fromEntries(rows) as SnmpValues);
    const fields = await fieldsOf({
      port,
      community: "secret",
      profile: "entity_sensor",
      power: [12, 13],
      inlet_probes: [10],
      outlet_probes: [11],
    });
    expect(fields).toEqual({
      inlet_c: expect.closeTo(23.4),
      outlet_c: expect.closeTo(36.5),
      pdu_kw: expect.closeTo(8.25),
    });
  });
});

describe.runIf(hasProgram("snmpd"))("SNMP drives, against Debian's snmpd", () => {
  const clock = systemClock();
  const log = createLog("test", "silent");

  async function fan(extra: object = {}) {
    const snmpd = await startSnmpd({
      [`${OWN}.20.0`]: ["integer", 1],
      [`${OWN}.21.0`]: ["gauge", 2400],
      [`${OWN}.22.0`]: ["gauge", 2400],
    });
    const target = {
      target: "fan_rpm_pct",
      oid: `${OWN}.21.0`,
      type: "unsigned32",
      scale: 40,
      auto: { oid: `${OWN}.20.0`, automatic: 1, manual: 2 },
      ...extra,
    };
    const drive = { name: "crac", driver: "snmp", host: "127.0.0.1", port: snmpd.port, community: "secret" };
    const config = AgentConfig.parse({ rack_id: "R-A-01", drives: [{ ...drive, targets: [target] }] });
    const driver = actuatorDriver(config, clock, log);
    const gate = (value: number | null) =>
      driveThroughGate(
        driver,
        config.actuators,
        { target: "fan_rpm_pct", value, mode: "closed_loop" },
        clock,
      );
    return { snmpd, driver, gate };
  }

  it("take control with the setpoint, and hand it back", async () => {
    const { snmpd, driver, gate } = await fan();
    expect(await driver.read("fan_rpm_pct")).toBeNull();
    expect(await gate(70)).toMatchObject({ outcome: "applied", from: null, now: 70 });
    expect(snmpd.value(`${OWN}.20.0`)).toBe("2");
    expect(snmpd.value(`${OWN}.21.0`)).toBe("2800");
    expect(await gate(null)).toMatchObject({ outcome: "applied", from: 70, now: null });
    expect(snmpd.value(`${OWN}.20.0`)).toBe("1");
    await driver.close();
  });

  it("that the agent refuses are told with its reason, and change nothing", async () => {
    const { snmpd, driver, gate } = await fan();
    snmpd.refuse(`${OWN}.21.0`);
    const { outcome, rejection } = await gate(70);
    expect(outcome).toBe("refused");
    expect(rejection?.message).toMatch(/NotWritable/);
    expect(snmpd.value(`${OWN}.21.0`)).toBe("2400");
    await driver.close();
  });

  it("that are refused do not keep others on the same agent from their fail-safe", async () => {
    const snmpd = await startSnmpd({
      [`${OWN}.21.0`]: ["gauge", 50],
      [`${OWN}.22.0`]: ["gauge", 50],
    });
    snmpd.refuse(`${OWN}.21.0`);
    const drive = { name: "crac", driver: "snmp", host: "127.0.0.1", port: snmpd.port, community: "secret" };
    const targets = [
      { target: "fan_rpm_pct", oid: `${OWN}.21.0`, type: "gauge32" },
      { target: "pump_rpm_pct", oid: `${OWN}.22.0`, type: "gauge32" },
    ];
    const actuators = { fan_rpm_pct: { fail_safe: 80 }, pump_rpm_pct: { fail_safe: 70 } };
    const config = AgentConfig.parse({ rack_id: "R-A-01", actuators, drives: [{ ...drive, targets }] });
    const driver = actuatorDriver(config, clock, log);
    await expect(driver.failSafe()).rejects.toThrow(/fan_rpm_pct: .*NotWritable/);
    expect(snmpd.value(`${OWN}.22.0`)).toBe("70");
    await driver.close();
  });

  it("without an automatic mode cannot be handed back", async () => {
    const { driver, gate } = await fan({ auto: undefined });
    expect(await gate(null)).toMatchObject({ outcome: "refused" });
    await driver.close();
  });

  it("never wrap: what the type cannot hold is not sent", async () => {
    const { snmpd, driver } = await fan({ scale: -40 });
    await expect(driver.write("fan_rpm_pct", 60)).rejects.toThrow(/0 to 4294967295 \(unsigned32\)/);
    expect(snmpd.value(`${OWN}.21.0`)).toBe("2400");
    await driver.close();
  });

  it("whose read-back is elsewhere are found out when they do not obey", async () => {
    const { driver, gate } = await fan({ read_oid: `${OWN}.22.0`, auto: undefined });
    expect(await gate(70)).toMatchObject({ outcome: "refused", now: 60 });
    await driver.close();
  });
});

describe("SNMP sensors and their network", () => {
  const nowhere = (port: number) =>
    snmpSensor(
      SnmpSensor.parse({
        name: "pdu",
        driver: "snmp",
        host: "127.0.0.1",
        port,
        community: "secret",
        timeout_s: 0.4,
        points: [{ field: "pdu_kw", oid: "1.3.6.1.2.1.1.3.0" }],
      }),
    );

  it("leave nothing open behind, however often they are opened and closed", async () => {
    const handles = () => process.getActiveResourcesInfo().filter((name) => /UDP|Timeout/.test(name)).length;
    const before = handles();
    const device = nowhere(9);
    for (let i = 0; i < 200; i++) {
      await device.open();
      const abort = new AbortController();
      const reading = device.read(abort.signal);
      abort.abort(new Error("too late"));
      await expect(reading).rejects.toThrow("too late");
      await device.close();
    }
    await eventually("all handles are closed", () => handles() <= before);
  });

  it("survive what is not SNMP", async () => {
    const socket = createSocket("udp4");
    await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
    socket.on("message", (_, from) => socket.send("hello", from.port, from.address));
    const device = nowhere(socket.address().port);
    await device.open();
    await expect(device.read(signal())).rejects.toThrow("unreachable");
    await device.close();
    socket.close();
  });
});
