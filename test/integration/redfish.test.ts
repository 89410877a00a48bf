import { once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";
import { describe, expect, it, onTestFinished } from "vitest";
import { driveThroughGate } from "../../agent/actuators/gate.ts";
import { actuatorDriver } from "../../agent/actuators/index.ts";
import { sensorDevice, sensorDriver } from "../../agent/sensors/index.ts";
import { AgentConfig } from "../../shared/contracts/agent-config.ts";
import { createLog, type Log } from "../../shared/log.ts";
import { systemClock, virtualClock } from "../../shared/time.ts";
import { hasProgram } from "../support/debian-packages.ts";
import { eventually } from "../support/eventually.ts";
import { problem, type RedfishServer, redfishServer, SESSIONS, USER } from "../support/redfish-server.ts";

const quiet = createLog("test", "silent");
const clock = systemClock();
const CHASSIS = "/redfish/v1/Chassis/1";
const CDU = "/redfish/v1/ThermalEquipment/CDUs/1";
const OK = { State: "Enabled", Health: "OK" };

const olderModel = () => ({
  [`${CHASSIS}/Thermal`]: {
    Temperatures: [
      { Name: "CPU1 Temp", PhysicalContext: "CPU", ReadingCelsius: 61, Status: OK },
      { Name: "Inlet Temp", PhysicalContext: "Intake", ReadingCelsius: 22.5, Status: OK },
      { Name: "Exhaust Temp", PhysicalContext: "Exhaust", ReadingCelsius: 36, Status: OK },
    ],
    Fans: [1, 2].map((n) => ({
      Name: `Fan ${n}`,
      Reading: 50 + n,
      ReadingUnits: "Percent",
      Status: OK,
    })),
  },
  [`${CHASSIS}/Power`]: {
    PowerControl: [
      { Name: "Server", PowerConsumedWatts: 7_800, PowerLimit: { LimitInWatts: null } },
      { Name: "CPU", PowerConsumedWatts: 900 },
    ],
  },
});
const newerModel = () => ({
  [`${CHASSIS}/ThermalSubsystem/ThermalMetrics`]: {
    TemperatureSummaryCelsius: { Intake: { Reading: 23 }, Exhaust: { Reading: 37 } },
  },
  [`${CHASSIS}/ThermalSubsystem/Fans`]: {
    Members: [1, 2].map((n) => ({ "@odata.id": `${CHASSIS}/ThermalSubsystem/Fans/${n}` })),
  },
  [`${CHASSIS}/ThermalSubsystem/Fans/1`]: { SpeedPercent: { Reading: 61 }, Status: OK },
  [`${CHASSIS}/ThermalSubsystem/Fans/2`]: { SpeedPercent: { Reading: 63 }, Status: { State: "Absent" } },
  [`${CHASSIS}/EnvironmentMetrics`]: {
    PowerWatts: { Reading: 8_100 },
    PowerLimitWatts: { SetPoint: 12_000, ControlMode: "Disabled" },
  },
});
const coolingUnit = () => ({
  [`${CDU}/Pumps`]: { Members: [{ "@odata.id": `${CDU}/Pumps/1` }] },
  [`${CDU}/Pumps/1`]: {
    PumpSpeedPercent: { Reading: 58, SpeedRPM: 2_436 },
    SpeedControlPercent: { SetPoint: 60, ControlMode: "Automatic" },
    Status: OK,
  },
  [`${CDU}/SecondaryCoolantConnectors`]: {
    Members: [{ "@odata.id": `${CDU}/SecondaryCoolantConnectors/1` }],
  },
  [`${CDU}/SecondaryCoolantConnectors/1`]: {
    SupplyTemperatureCelsius: { Reading: 30 },
    ReturnTemperatureCelsius: { Reading: 38.5 },
  },
});
const chassis = { profiles: [{ profile: "chassis", uri: CHASSIS }] };

/** A device that is trusted by its certificate and entered by password, unless a test says otherwise. */
const device = (server: RedfishServer, rest: object) => ({
  name: "bmc",
  driver: "redfish",
  url: server.url,
  auth: USER,
  tls: { ca_file: server.cert_file },
  ...rest,
});

async function opened(server: RedfishServer, rest: object, log: Log = quiet, with_clock = clock) {
  const config = AgentConfig.parse({
    rack_id: "R-A-01",
    sensors: { devices: [device(server, rest)] },
  }).sensors.devices[0]!;
  const sensor = sensorDevice(config, with_clock, log).device;
  await sensor.open();
  onTestFinished(() => sensor.close());
  return { ...sensor, read: (signal = AbortSignal.timeout(5_000)) => sensor.read(signal) };
}

const numbers = async (sensor: Awaited<ReturnType<typeof opened>>) =>
  (await sensor.read()).map(({ values }) => values);

/** A log whose events a test can look at. */
function watchedLog() {
  const events: string[] = [];
  const log = createLog("test", "silent");
  log.warn = ((line: { event: string }) => void events.push(line.event)) as Log["warn"];
  return { log, events };
}

describe.skipIf(!hasProgram("openssl"))("a Redfish device that is read", () => {
  it("with the older thermal model gives all of the chassis profile, each resource asked for once", async () => {
    const server = await redfishServer(olderModel());
    const sensor = await opened(server, chassis);
    expect(await numbers(sensor)).toEqual([[22.5], [36], [51, 52], [7_800]]);
    expect(server.requests.filter((line) => line.startsWith("GET")).sort()).toEqual([
      `GET ${CHASSIS}/Power`,
      `GET ${CHASSIS}/Thermal`,
    ]);
  });

  it("with the newer thermal model gives the same, and a fan that is not there is silent", async () => {
    const server = await redfishServer(newerModel());
    const sensor = await opened(server, chassis);
    expect(await numbers(sensor)).toEqual([[23], [37], [61, null], [8_100]]);
    server.requests.length = 0;
    await sensor.read();
    expect(server.requests).not.toContain(`GET ${CHASSIS}/Thermal`);
  });

  it("gives a cooling unit's pump, and its coolant only where that is asked for", async () => {
    const server = await redfishServer(coolingUnit());
    const pump = await opened(server, { profiles: [{ profile: "cdu", uri: CDU }] });
    expect(await numbers(pump)).toEqual([[58]]);
    const fields = ["pump_rpm_pct", "inlet_c", "outlet_c"];
    const all = await opened(server, { profiles: [{ profile: "cdu", uri: CDU, fields }] });
    expect(await numbers(all)).toEqual([[58], [30], [38.5]]);
  });

  it("gives what a pointer leads to, and every item that a selection names", async () => {
    const server = await redfishServer(olderModel());
    const uri = `${CHASSIS}/Thermal`;
    const select = { array: "/Temperatures", where: { Name: "*temp" }, value: "ReadingCelsius" };
    const points = [
      { field: "outlet_c", uri, pointer: "/Temperatures/2/ReadingCelsius" },
      { field: "inlet_c", uri, select },
      { field: "pump_rpm_pct", uri, pointer: "/Pumps/0/Reading" },
    ];
    const sensor = await opened(server, { points });
    expect(await numbers(sensor)).toEqual([[36], [61, 22.5, 36], [null]]);
  });

  it("is not believed where it says so itself, but is where a threshold explains its alarm", async () => {
    const item = (ReadingCelsius: number | null, Status: object, more = {}) => ({
      ReadingCelsius,
      Status,
      ...more,
    });
    const critical = { State: "Enabled", Health: "Critical" };
    const uri = `${CHASSIS}/Thermal`;
    const Temperatures = [
      item(22, { State: "UnavailableOffline", Health: "Critical" }),
      item(null, OK),
      item(22, critical, { UpperThresholdCritical: 32 }),
      item(33, critical, { UpperThresholdCritical: 32 }),
      item(33, critical, { Thresholds: { UpperCritical: { Reading: 32 } } }),
    ];
    const server = await redfishServer({ [uri]: { Temperatures } });
    const points = Temperatures.map((_, i) => ({
      field: "inlet_c",
      uri,
      pointer: `/Temperatures/${i}/ReadingCelsius`,
    }));
    const readings = await (await opened(server, { points })).read();
    expect(readings.map(({ values, suspect }) => [values[0], suspect])).toEqual([
      [null, false],
      [null, false],
      [22, true],
      [33, false],
      [33, false],
    ]);
  });

  it("sends nothing twice that has not changed, and that counts as read now", async () => {
    const uri = `${CHASSIS}/Sensors/Inlet`;
    const server = await redfishServer({
      [uri]: { Reading: 21, ReadingTime: new Date(Date.now() - 90_000).toISOString(), Status: OK },
    });
    const statuses: number[] = [];
    const sensor = await opened(server, { points: [{ field: "inlet_c", uri, pointer: "/Reading" }] });
    const [first] = await sensor.read();
    expect(first).toMatchObject({ values: [21] });
    expect(first!.age_ms).toBeGreaterThan(88_000);
    expect(first!.age_ms).toBeLessThan(92_000);
    server.answers.set(uri, (request, response) => {
      statuses.push(request.headers["if-none-match"] ? 304 : 200);
      response.writeHead(304).end();
    });
    expect(await sensor.read()).toEqual([{ values: [21], suspect: false, age_ms: 0 }]);
    expect(statuses).toEqual([304]);
  });

  it("keeps giving what it can when one resource fails, and fails when all do", async () => {
    const server = await redfishServer(olderModel());
    const { log, events } = watchedLog();
    const sensor = await opened(server, chassis, log);
    server.answers.set(`${CHASSIS}/Power`, (_, response) => {
      response.writeHead(500).end(JSON.stringify(problem("The power monitor is restarting")));
    });
    expect(await numbers(sensor)).toEqual([[22.5], [36], [51, 52], [null]]);
    expect(await numbers(sensor)).toEqual([[22.5], [36], [51, 52], [null]]);
    expect(events).toEqual(["resource_failed"]);
    server.answers.set(`${CHASSIS}/Thermal`, (_, response) => void response.writeHead(503).end());
    await expect(sensor.read()).rejects.toThrow("503");
  });

  it("feeds the agent's reading, power in kW", async () => {
    const server = await redfishServer(olderModel());
    const { sensors } = AgentConfig.parse({
      rack_id: "R-A-01",
      sensors: { devices: [device(server, chassis)] },
    });
    const driver = sensorDriver(sensors, clock, quiet);
    onTestFinished(() => driver.close());
    await driver.open();
    const { values, quality } = await driver.read();
    expect(values).toMatchObject({ inlet_c: 22.5, outlet_c: 36, fan_rpm_pct: 51.5, pdu_kw: 7.8 });
    expect(quality).toEqual({});
  });
});

describe.skipIf(!hasProgram("openssl"))("a Redfish session", () => {
  const logins = (server: RedfishServer) =>
    server.requests.filter((line) => line === `POST ${SESSIONS}`).length;

  it("is opened once for requests side by side, and ended on leaving", async () => {
    const server = await redfishServer(olderModel());
    const sensor = await opened(server, chassis);
    await sensor.read();
    await sensor.read();
    expect(logins(server)).toBe(1);
    expect(server.sessions.size).toBe(1);
    await sensor.close();
    expect(server.sessions.size).toBe(0);
  });

  it("that has expired is opened again without a failed read", async () => {
    const server = await redfishServer(olderModel());
    const sensor = await opened(server, chassis);
    await sensor.read();
    server.sessions.clear();
    expect(await numbers(sensor)).toEqual([[22.5], [36], [51, 52], [7_800]]);
    expect(logins(server)).toBe(2);
  });

  it("is not asked for again and again with a wrong password, which would lock the account", async () => {
    const server = await redfishServer(olderModel());
    const time = virtualClock(1_000_000);
    const auth = { ...USER, password: "wrong" };
    const sensor = await opened(server, { ...chassis, auth }, quiet, time);
    await expect(sensor.read()).rejects.toThrow("Wrong password");
    await sensor.close();
    await sensor.open();
    await expect(sensor.read()).rejects.toThrow("next attempt in 60 s");
    expect(logins(server)).toBe(1);
    time.advance(60_000);
    await expect(sensor.read()).rejects.toThrow("Wrong password");
    expect(logins(server)).toBe(2);
  });

  it("is not needed where the password goes with every request", async () => {
    const server = await redfishServer(olderModel());
    const sensor = await opened(server, { ...chassis, auth: { ...USER, method: "basic" } });
    expect((await numbers(sensor))[0]).toEqual([22.5]);
    expect(logins(server)).toBe(0);
  });

  it("leaves nothing behind after many of them", async () => {
    const server = await redfishServer(olderModel());
    const sensor = await opened(server, chassis);
    const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length;
    const before = timers();
    for (let cycle = 0; cycle < 200; cycle++) {
      await sensor.open();
      await sensor.read();
      await sensor.close();
    }
    expect(server.sessions.size).toBe(0);
    // Sooner than idle connections would be closed by themselves.
    await eventually("all connections are closed", () => server.connections() === 0, 2_000);
    const sockets = process.getActiveResourcesInfo().filter((kind) => kind === "TLSSocketWrap");
    expect(sockets.length).toBe(0);
    expect(timers()).toBeLessThan(before + 10);
  });
});

describe.skipIf(!hasProgram("openssl"))("a Redfish device's certificate", () => {
  const read = async (tls: (server: RedfishServer) => object, log = quiet) => {
    const server = await redfishServer(olderModel());
    const sensor = await opened(server, { ...chassis, tls: tls(server) }, log);
    return { server, reading: sensor.read() };
  };

  it("of an unknown authority is refused, before any password is sent", async () => {
    const { server, reading } = await read(() => ({}));
    await expect(reading).rejects.toThrow("self-signed certificate");
    expect(server.requests).toEqual([]);
  });

  it("is accepted by its fingerprint, as openssl prints it", async () => {
    const { reading } = await read(({ fingerprint }) => ({ fingerprint_sha256: fingerprint }));
    expect(await reading).toHaveLength(4);
  });

  it("with another fingerprint is refused, before any password is sent", async () => {
    const { server, reading } = await read(() => ({ fingerprint_sha256: "ab".repeat(32) }));
    await expect(reading).rejects.toThrow("fingerprint");
    expect(server.requests).toEqual([]);
  });

  it("is ignored only where that is asked for, and not quietly", async () => {
    const { log, events } = watchedLog();
    const { reading } = await read(() => ({ verify: false }), log);
    expect(await reading).toHaveLength(4);
    expect(events).toEqual(["certificate_not_verified"]);
  });
});

describe.skipIf(!hasProgram("openssl"))("a Redfish device that misbehaves", () => {
  const uri = `${CHASSIS}/Thermal`;
  const points = [{ field: "inlet_c", uri, pointer: "/Temperatures/1/ReadingCelsius" }];

  it("by answering slowly has its request cancelled, not merely forgotten", async () => {
    const server = await redfishServer(olderModel());
    const sensor = await opened(server, { points });
    await sensor.read();
    const cancelled = new Promise<void>((resolve) => {
      server.answers.set(uri, (_, response) => {
        response.writeHead(200);
        response.write('{"Temperatures": [');
        response.once("close", () => resolve());
      });
    });
    const abort = new AbortController();
    const reading = sensor.read(abort.signal);
    await eventually("the request has arrived", () => server.requests.at(-1) === `GET ${uri}` || undefined);
    await pause(50);
    abort.abort(new Error("too late"));
    await expect(reading).rejects.toThrow("too late");
    await cancelled;
    server.answers.clear();
    expect(await numbers(sensor)).toEqual([[22.5]]);
  });

  it("by sending too much is cut off", async () => {
    const server = await redfishServer(olderModel());
    server.answers.set(uri, (_, response) => void response.writeHead(200).end(Buffer.alloc(200_000, " ")));
    const sensor = await opened(server, { points, response_max_kb: 64 });
    await expect(sensor.read()).rejects.toMatchObject({ code: "SKADI_PAYLOAD_TOO_LARGE" });
  });

  it("by answering with a web page is found out", async () => {
    const server = await redfishServer(olderModel());
    server.answers.set(uri, (_, response) => void response.writeHead(200).end("<html>please log in</html>"));
    const sensor = await opened(server, { points });
    await expect(sensor.read()).rejects.toMatchObject({ code: "SKADI_MALFORMED_JSON" });
    await expect(sensor.read()).rejects.toThrow(uri);
  });

  it("by pointing to another host is not followed there, but is within itself", async () => {
    const [server, other] = [await redfishServer(olderModel()), await redfishServer(olderModel())];
    const sensor = await opened(server, { points });
    server.answers.set(uri, (_, response) => {
      response.writeHead(302, { location: `${other.url}${uri}` }).end();
    });
    await expect(sensor.read()).rejects.toThrow(other.url);
    expect(other.requests).toEqual([]);
    server.resources[`${uri}/`] = server.resources[uri]!;
    server.answers.set(uri, (_, response) => void response.writeHead(308, { location: `${uri}/` }).end());
    expect(await numbers(sensor)).toEqual([[22.5]]);
  });

  it("by hanging up is reported with the address", async () => {
    const server = await redfishServer(olderModel());
    server.answers.set(uri, (request) => void request.socket.destroy());
    const sensor = await opened(server, { points });
    await expect(sensor.read()).rejects.toMatchObject({ code: "SKADI_DRIVER" });
    await expect(sensor.read()).rejects.toThrow(`${server.url}${uri}`);
  });
});

describe.skipIf(!hasProgram("openssl"))("a Redfish device that is driven", () => {
  const CONTROL = `${CHASSIS}/Controls/FanSpeed`;
  const control = () => ({ [CONTROL]: { SetPoint: 55, ControlMode: "Automatic", Status: OK } });

  async function driven(resources: Record<string, Record<string, unknown>>, target: object) {
    const server = await redfishServer(resources);
    const config = AgentConfig.parse({ rack_id: "R-A-01", drives: [device(server, { targets: [target] })] });
    const driver = actuatorDriver(config, clock, quiet);
    onTestFinished(() => driver.close());
    const name = driver.targets[0]!;
    const gate = (value: number | null) =>
      driveThroughGate(driver, config.actuators, { target: name, value, mode: "closed_loop" }, clock);
    return { server, driver, gate };
  }
  const fan = { target: "fan_rpm_pct", profile: "control", uri: CONTROL };

  it("by a Control is taken over, set, and handed back", async () => {
    const { server, driver, gate } = await driven(control(), fan);
    expect(await gate(70)).toMatchObject({ outcome: "applied", from: null, now: 70 });
    expect(server.resources[CONTROL]).toMatchObject({ SetPoint: 70, ControlMode: "Manual" });
    expect(await gate(75)).toMatchObject({ outcome: "applied", from: 70, now: 75 });
    expect(await gate(null)).toMatchObject({ outcome: "applied", from: 75, now: null });
    expect(server.resources[CONTROL]).toMatchObject({ ControlMode: "Automatic" });
    await driver.close();
    expect(server.sessions.size).toBe(0);
  });

  it("in an override of its own keeps that mode", async () => {
    const resources = { [CONTROL]: { SetPoint: 60, ControlMode: "Override" } };
    const { server, gate } = await driven(resources, fan);
    expect(await gate(70)).toMatchObject({ outcome: "applied", from: 60, now: 70 });
    expect(server.resources[CONTROL]).toEqual({ SetPoint: 70, ControlMode: "Override" });
  });

  it("without a mode is only told the setpoint", async () => {
    const { server, gate } = await driven({ [CONTROL]: { SetPoint: 60 } }, fan);
    expect(await gate(70)).toMatchObject({ outcome: "applied", from: 60, now: 70 });
    expect(server.resources[CONTROL]).toEqual({ SetPoint: 70 });
  });

  it("by a pump's speed control", async () => {
    const uri = `${CDU}/Pumps/1`;
    const { server, gate } = await driven(coolingUnit(), { target: "pump_rpm_pct", profile: "speed", uri });
    expect(await gate(70)).toMatchObject({ outcome: "applied", from: null, now: 70 });
    expect(server.resources[uri]).toMatchObject({
      SpeedControlPercent: { SetPoint: 70, ControlMode: "Manual" },
      PumpSpeedPercent: { Reading: 58 },
    });
  });

  it("by a power limit, in watts per percent, and no limit is null", async () => {
    const uri = `${CHASSIS}/Power`;
    const target = { target: "admission_pct", profile: "power_limit", uri, scale: 120 };
    const { server, gate } = await driven(olderModel(), target);
    expect(await gate(90)).toMatchObject({ outcome: "applied", from: null, now: 90 });
    expect(server.resources[uri]).toMatchObject({
      PowerControl: [{ PowerConsumedWatts: 7_800, PowerLimit: { LimitInWatts: 10_800 } }, { Name: "CPU" }],
    });
    expect(await gate(null)).toMatchObject({ outcome: "applied", from: 90, now: null });
  });

  it("by the power limit of the newer model, whose mode says whether there is one", async () => {
    const uri = `${CHASSIS}/EnvironmentMetrics`;
    const target = { target: "admission_pct", profile: "environment_power_limit", uri, scale: 120 };
    const { server, gate } = await driven(newerModel(), target);
    expect(await gate(90)).toMatchObject({ outcome: "applied", from: null, now: 90 });
    expect(server.resources[uri]).toMatchObject({
      PowerLimitWatts: { SetPoint: 10_800, ControlMode: "Automatic" },
    });
    expect(await gate(null)).toMatchObject({ outcome: "applied", from: 90, now: null });
  });

  it("at any property, with the modes that the configuration names", async () => {
    const uri = `${CHASSIS}/Oem/Tray`;
    const target = {
      target: "fan_rpm_pct",
      uri,
      property: "/Fan/Duty",
      mode_property: "/Fan/Mode",
      automatic: "auto",
      manual: "fixed",
      scale: 2.55,
    };
    const { server, gate } = await driven({ [uri]: { Fan: { Duty: 0, Mode: "auto", Min: 0 } } }, target);
    expect(await gate(80)).toMatchObject({ outcome: "applied", from: null });
    expect(server.resources[uri]).toEqual({ Fan: { Duty: 204, Mode: "fixed", Min: 0 } });
  });

  it("is read again and set once more when someone else has changed it in between", async () => {
    const { server, gate } = await driven(control(), fan);
    let refused = 0;
    server.answers.set(CONTROL, (request, response) => {
      if (request.method !== "PATCH") {
        response.writeHead(200, { etag: `"${refused}"` }).end(JSON.stringify(server.resources[CONTROL]));
      } else if (request.headers["if-match"] === '"0"') {
        refused++;
        response.writeHead(412).end();
      } else {
        server.resources[CONTROL] = { SetPoint: 70, ControlMode: "Manual" };
        response.writeHead(204).end();
      }
    });
    expect(await gate(70)).toMatchObject({ outcome: "applied", from: null, now: 70 });
    expect(refused).toBe(1);
  });

  it("is left alone when it changes every time", async () => {
    const { server, gate } = await driven(control(), fan);
    let patches = 0;
    server.answers.set(CONTROL, (request, response) => {
      if (request.method === "PATCH") patches++;
      const body = JSON.stringify(server.resources[CONTROL]);
      response.writeHead(request.method === "PATCH" ? 412 : 200, { etag: '"x"' }).end(body);
    });
    const { outcome, rejection } = await gate(70);
    expect(outcome).toBe("refused");
    expect(rejection?.message).toContain("at the same time");
    expect(patches).toBe(4);
  });

  it("is told nothing that must not be told any more once its resource is read", async () => {
    const { server, driver } = await driven(control(), fan);
    let asked = 0;
    const permit = () => {
      // Asked before the attempt, and again when the resource is read; no second attempt may pass either.
      if (++asked > 1) throw new Error("under the kill switch");
    };
    await expect(driver.write("fan_rpm_pct", 70, { permit })).rejects.toThrow("under the kill switch");
    expect(server.resources[CONTROL]).toMatchObject({ SetPoint: 55, ControlMode: "Automatic" });
  });

  it("that refuses is reported in its own words", async () => {
    const { server, gate } = await driven(control(), fan);
    server.answers.set(CONTROL, (request, response) => {
      if (request.method === "PATCH")
        response.writeHead(400).end(JSON.stringify(problem("Remote is locked")));
      else response.writeHead(200).end(JSON.stringify(server.resources[CONTROL]));
    });
    expect((await gate(70)).rejection?.message).toContain("Remote is locked");
  });

  it("that accepts and does not obey is found out by the read-back", async () => {
    const { server, gate } = await driven(control(), fan);
    server.answers.set(CONTROL, async (request, response) => {
      if (request.method === "PATCH") return void response.writeHead(204).end();
      response.writeHead(200).end(JSON.stringify(server.resources[CONTROL]));
      await once(response, "finish");
    });
    expect(await gate(70)).toMatchObject({ outcome: "refused", now: null });
  });
});
