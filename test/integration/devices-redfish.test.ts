import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import https from "node:https";
import { describe, expect, it } from "vitest";
import { DEVICE_LOGINS } from "../../sim/devices/serve.ts";
import { hasProgram } from "../support/debian-packages.ts";
import { BASIC, RACK, redfish, startDevices } from "./devices-harness.ts";

const CHASSIS = "/redfish/v1/Chassis/1";
const CDU = "/redfish/v1/ThermalEquipment/CDUs/1";
const FAN_CONTROL = `${CHASSIS}/Controls/FanSpeed`;
const SESSIONS = "/redfish/v1/SessionService/Sessions";
const LOGIN = { UserName: DEVICE_LOGINS.redfish_user, Password: DEVICE_LOGINS.redfish_password };
const LOST = { State: "UnavailableOffline", Health: "Critical" };

describe("the Redfish service's doors", () => {
  it("shows version and root to everybody, all else to those who log in", async () => {
    const { devices } = await startDevices();
    expect((await redfish(devices, "/redfish", { headers: {} })).body).toEqual({ v1: "/redfish/v1/" });
    expect((await redfish(devices, "/redfish/v1/", { headers: {} })).status).toBe(200);
    const { status, body, headers } = await redfish(devices, CHASSIS, { headers: {} });
    expect(status).toBe(401);
    expect(headers.get("www-authenticate")).toMatch(/basic/i);
    expect(body.error.code).toBe("Base.1.18.NoValidSession");
    expect(JSON.stringify(body)).not.toMatch(/Reading|Chassis/);
    const wrong = { authorization: `Basic ${btoa("admin:wrong")}` };
    expect((await redfish(devices, CHASSIS, { headers: wrong })).status).toBe(401);
    expect((await redfish(devices, CHASSIS)).status).toBe(200);
  });

  it("opens a session with a token, and DELETE of its location ends it", async () => {
    const { devices } = await startDevices();
    const login = await redfish(devices, SESSIONS, { method: "POST", body: LOGIN, headers: {} });
    expect(login.status).toBe(201);
    const headers = { "x-auth-token": login.headers.get("x-auth-token")! };
    const location = login.headers.get("location")!;
    expect((await redfish(devices, CHASSIS, { headers })).status).toBe(200);
    expect((await redfish(devices, SESSIONS, { headers })).body.Members).toEqual([{ "@odata.id": location }]);

    expect((await redfish(devices, location, { method: "DELETE", headers })).status).toBe(204);
    expect((await redfish(devices, CHASSIS, { headers })).status).toBe(401);
    const refused = await redfish(devices, SESSIONS, {
      method: "POST",
      body: { ...LOGIN, Password: "wrong" },
      headers: {},
    });
    expect(refused.status).toBe(401);
    expect(refused.headers.get("x-auth-token")).toBeNull();
  });

  it("ends a session that is not used for the timeout, and keeps one that is", async () => {
    const { clock, devices } = await startDevices({ session_timeout_s: 60 });
    const open = async () => {
      const login = await redfish(devices, SESSIONS, { method: "POST", body: LOGIN, headers: {} });
      return { "x-auth-token": login.headers.get("x-auth-token")! };
    };
    const used = await open();
    const idle = await open();
    clock.advance(40_000);
    expect((await redfish(devices, CHASSIS, { headers: used })).status).toBe(200);
    clock.advance(40_000);
    expect((await redfish(devices, CHASSIS, { headers: used })).status).toBe(200);
    expect((await redfish(devices, CHASSIS, { headers: idle })).status).toBe(401);
  });

  it("has only so many sessions", async () => {
    const { devices } = await startDevices();
    const statuses: number[] = [];
    for (let i = 0; i < 9; i++) {
      statuses.push((await redfish(devices, SESSIONS, { method: "POST", body: LOGIN, headers: {} })).status);
    }
    expect(statuses).toEqual([...Array(8).fill(201), 503]);
  });

  it.skipIf(!hasProgram("openssl"))("speaks TLS with a certificate of its own", async () => {
    const { devices } = await startDevices({ tls: true });
    const { url, certificate } = devices.redfish;
    expect(url).toMatch(/^https:/);
    const asked = https.get(`${url}/redfish/v1/`, { ca: certificate!, agent: false });
    const [answer] = (await once(asked, "response")) as [IncomingMessage];
    expect(answer.resume().statusCode).toBe(200);
    await expect(fetch(`${url}/redfish/v1/`)).rejects.toThrow();
  });
});

describe("what the Redfish service tells", () => {
  it("leads from the root to every resource by links, and each names itself", async () => {
    const { devices } = await startDevices();
    const seen = new Set<string>();
    const queue = ["/redfish/v1/"];
    for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
      if (seen.has(path)) continue;
      seen.add(path);
      const { status, body, headers } = await redfish(devices, path);
      expect(status, path).toBe(200);
      expect(body["@odata.id"]).toBe(path);
      expect(body["@odata.type"]).toMatch(/^#\w+\.[\w.]+$/);
      expect(headers.get("odata-version")).toBe("4.0");
      const links = JSON.stringify(body).matchAll(/"(?:@odata\.id|DataSourceUri)":"([^"#]+)"/g);
      for (const [, link] of links) queue.push(link!);
    }
    for (const path of [FAN_CONTROL, `${CHASSIS}/Power`, `${CDU}/Pumps/1`, "/redfish/v1/Managers/1"]) {
      expect(seen).toContain(path);
    }
    expect(seen.size).toBeGreaterThan(35);
  });

  it("gives temperatures, fans and power, in the old resources and the new", async () => {
    const { plant, devices } = await startDevices();
    const { inlet_c, outlet_c, fan_rpm_pct, pump_rpm_pct, pdu_kw } = plant.read(RACK);
    const read = async (path: string) => (await redfish(devices, path)).body;
    const thermal = await read(`${CHASSIS}/Thermal`);
    expect(thermal.Temperatures.map((t: { ReadingCelsius: number }) => t.ReadingCelsius)).toEqual([
      inlet_c,
      outlet_c,
    ]);
    expect(thermal.Fans[0]).toMatchObject({ Reading: fan_rpm_pct, ReadingUnits: "Percent" });
    const metrics = await read(`${CHASSIS}/ThermalSubsystem/ThermalMetrics`);
    expect(metrics.TemperatureSummaryCelsius.Exhaust.Reading).toBe(outlet_c);
    const sensor = await read(`${CHASSIS}/Sensors/InletTemp`);
    expect(sensor).toMatchObject({ Reading: inlet_c, ReadingUnits: "Cel", Status: { Health: "OK" } });
    const watts = Math.round(pdu_kw! * 1000);
    expect((await read(`${CHASSIS}/Power`)).PowerControl[0].PowerConsumedWatts).toBe(watts);
    const environment = await read(`${CHASSIS}/EnvironmentMetrics`);
    expect(environment.PowerWatts.Reading).toBe(watts);
    expect(environment.FanSpeedsPercent[0].Reading).toBe(fan_rpm_pct);
    expect((await read(`${CDU}/Pumps/1`)).PumpSpeedPercent.Reading).toBe(pump_rpm_pct);
  });

  it("says null, UnavailableOffline and Critical where a sensor gives no answer", async () => {
    const { plant, devices } = await startDevices();
    plant.inject({ kind: "sensor_dropout", rack_id: RACK, field: "inlet_c", severity: 1 });
    const sensor = (await redfish(devices, `${CHASSIS}/Sensors/InletTemp`)).body;
    expect(sensor).toMatchObject({ Reading: null, Status: LOST });
    const thermal = (await redfish(devices, `${CHASSIS}/Thermal`)).body;
    expect(thermal.Temperatures[0]).toMatchObject({ ReadingCelsius: null, Status: LOST });
  });

  it("answers 304 to whoever has the current ETag, and the new resource once it changed", async () => {
    const { clock, devices } = await startDevices();
    const etag = (await redfish(devices, `${CHASSIS}/Thermal`)).headers.get("etag")!;
    const headers = { authorization: BASIC, "if-none-match": etag };
    expect((await redfish(devices, `${CHASSIS}/Thermal`, { headers })).status).toBe(304);
    clock.advance(5_000);
    expect((await redfish(devices, `${CHASSIS}/Thermal`, { headers })).status).toBe(200);
  });

  it("answers 404 and 405 in Redfish's own form", async () => {
    const { devices } = await startDevices();
    const missing = await redfish(devices, `${CHASSIS}/Nothing`);
    expect(missing.status).toBe(404);
    expect(missing.body.error["@Message.ExtendedInfo"][0].MessageId).toMatch(/ResourceMissingAtURI$/);
    const refused = await redfish(devices, `${CHASSIS}/Thermal`, { method: "PATCH", body: {} });
    expect(refused.status).toBe(405);
    expect(refused.headers.get("allow")).toBe("GET, HEAD");
  });
});

describe("what the Redfish service lets be changed", () => {
  it("drives the fans by a Control, shows it in the feedback, and Automatic gives them back", async () => {
    const { plant, clock, devices } = await startDevices();
    expect((await redfish(devices, FAN_CONTROL)).body).toMatchObject({
      ControlMode: "Automatic",
      AllowableMin: 40,
      AllowableMax: 100,
      SetPointUnits: "%",
    });
    const change = { SetPoint: 92, ControlMode: "Manual" };
    const changed = await redfish(devices, FAN_CONTROL, { method: "PATCH", body: change });
    expect(changed.status).toBe(200);
    expect(changed.body).toMatchObject(change);
    clock.advance(120_000);
    expect(plant.truth(RACK).fan_rpm_pct).toBeCloseTo(92, 0);
    const fan = await redfish(devices, `${CHASSIS}/ThermalSubsystem/Fans/1`);
    expect(fan.body.SpeedPercent.Reading).toBe(plant.read(RACK).fan_rpm_pct);

    await redfish(devices, FAN_CONTROL, { method: "PATCH", body: { ControlMode: "Automatic" } });
    expect(plant.target(RACK, "fan_rpm_pct")).toBeNull();
    await redfish(devices, FAN_CONTROL, { method: "PATCH", body: { ControlMode: "Override" } });
    expect(plant.target(RACK, "fan_rpm_pct")).toBe(92);
    expect((await redfish(devices, FAN_CONTROL)).body.ControlMode).toBe("Override");
  });

  it("drives the pump at the cooling unit", async () => {
    const { plant, devices } = await startDevices();
    const body = { SpeedControlPercent: { SetPoint: 75 } };
    const changed = await redfish(devices, `${CDU}/Pumps/1`, { method: "PATCH", body });
    expect(changed.body.SpeedControlPercent).toMatchObject({ SetPoint: 75, ControlMode: "Manual" });
    expect(plant.target(RACK, "pump_rpm_pct")).toBe(75);
  });

  it.each([
    ["out of range", { SetPoint: 101 }, "PropertyValueOutOfRange"],
    ["below range", { SetPoint: 39.9 }, "PropertyValueOutOfRange"],
    ["of the wrong type", { SetPoint: "80" }, "PropertyValueTypeError"],
    ["in an unknown mode", { SetPoint: 80, ControlMode: "Turbo" }, "PropertyValueNotInList"],
    ["of a read-only property", { AllowableMax: 120 }, "PropertyNotWritable"],
    ["of an unknown property", { Speed: 80 }, "PropertyUnknown"],
    ["that is no object", [80], "MalformedJSON"],
  ])("refuses a set point %s, and nothing changes", async (_what, body, message) => {
    const { plant, devices } = await startDevices();
    const refused = await redfish(devices, FAN_CONTROL, { method: "PATCH", body });
    expect(refused.status).toBe(400);
    expect(refused.body.error["@Message.ExtendedInfo"][0].MessageId).toBe(`Base.1.18.${message}`);
    expect(plant.target(RACK, "fan_rpm_pct")).toBeNull();
  });

  it("refuses a change that rests on an old ETag with 412", async () => {
    const { plant, devices } = await startDevices();
    const etag = (await redfish(devices, FAN_CONTROL)).headers.get("etag")!;
    const patch = (SetPoint: number) =>
      redfish(devices, FAN_CONTROL, {
        method: "PATCH",
        body: { SetPoint },
        headers: { authorization: BASIC, "if-match": etag },
      });
    expect((await patch(80)).status).toBe(200);
    expect((await patch(90)).status).toBe(412);
    expect(plant.target(RACK, "fan_rpm_pct")).toBe(80);
  });

  it("keeps a power limit within the supply's range", async () => {
    const { devices } = await startDevices();
    const patch = (LimitInWatts: number | null) =>
      redfish(devices, `${CHASSIS}/Power`, {
        method: "PATCH",
        body: { PowerControl: [{ PowerLimit: { LimitInWatts } }] },
      });
    expect((await patch(11_000)).body.PowerControl[0].PowerLimit.LimitInWatts).toBe(11_000);
    expect((await patch(99_000)).status).toBe(400);
    const environment = (await redfish(devices, `${CHASSIS}/EnvironmentMetrics`)).body;
    expect(environment.PowerLimitWatts.SetPoint).toBe(11_000);
    expect((await patch(null)).body.PowerControl[0].PowerLimit.LimitInWatts).toBeNull();
  });

  it("can be made to fail or dawdle, for drivers' tests", async () => {
    const { devices } = await startDevices();
    devices.redfish.disturb({ status: 503, retry_after_s: 7 });
    const failed = await redfish(devices, CHASSIS);
    expect(failed.status).toBe(503);
    expect(failed.headers.get("retry-after")).toBe("7");
    devices.redfish.disturb({ delay_ms: 2_000 });
    const late = fetch(`${devices.redfish.url}/redfish`, { signal: AbortSignal.timeout(100) });
    await expect(late).rejects.toThrow(/timeout/i);
    devices.redfish.disturb(null);
    expect((await redfish(devices, CHASSIS)).status).toBe(200);
  });
});
