// The status page. It reads the same API as everybody else; whatever comes from it is put in as text, never as HTML.

const POLL_MS = 2_000;
const LOG_MAX = 50;
const SCENARIO_S = 180;

/** What the map can show: where the value is, how it reads, and the range of its colours. */
const QUANTITIES = {
  inlet: { label: "Inlet", unit: "°C", field: "inlet_c", digits: 1, low: 18, high: 28 },
  outlet: { label: "Outlet", unit: "°C", field: "outlet_c", digits: 1, low: 28, high: 50 },
  power: { label: "Power", unit: "kW", field: "pdu_kw", digits: 1, low: 2, high: 12 },
  d: { label: "D", unit: "σ", field: "d", digits: 2, low: 0.5, high: 3 },
  state: { label: "State", unit: "", field: "state", digits: 0, low: 0, high: 2 },
};
const SHAPES = { nominal: "●", transient: "▲", persistent: "■", unknown: "○" };
const STATE_LEVEL = { nominal: 0, transient: 1.4, persistent: 2 };

const page = { quantity: "inlet", rack_id: null, overview: null };

const byId = (id) => document.getElementById(id);

/** An element with properties and children; strings become text nodes. */
function element(tag, properties = {}, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
}

const number = (value, digits) => (value === null || value === undefined ? "–" : value.toFixed(digits));
const clockTime = (ts) => new Date(ts).toLocaleTimeString();

async function api(path, options) {
  const response = await fetch(path, options);
  const body = await response.json();
  if (!response.ok) throw new Error(body.error?.message ?? `HTTP ${response.status}`);
  return body;
}

// --- key figures -------------------------------------------------------------------------------------------------

function showKpis({ racks, kpis, actions, worst_rack }) {
  const figures = [
    ["racks online", `${racks.online} / ${racks.total}`],
    ["● nominal", racks.nominal],
    ["▲ transient", racks.transient],
    ["■ persistent", racks.persistent],
    ["Wh per prompt", number(kpis.wh_per_prompt, 3)],
    ["J per token", number(kpis.j_per_token, 3)],
    ["latency p95, ms", number(kpis.latency_p95_ms, 0)],
    ["inlets in limit, %", number(kpis.inlet_compliance_pct, 1)],
    [`Wh below ${kpis.baseline_wh_per_prompt}, %`, number(kpis.wh_below_baseline_pct, 1)],
    ["energy saved in 24 h, %", number(kpis.energy_saved_pct, 1)],
    ["IT power, kW", number(kpis.pdu_kw, 0)],
    ["actions", actions],
    ["worst rack", worst_rack ? `${worst_rack.rack_id} D ${number(worst_rack.d, 2)}` : "–"],
  ];
  byId("kpis").replaceChildren(
    ...figures.map(([name, value]) =>
      element("div", {}, element("dt", { textContent: name }), element("dd", { textContent: String(value) })),
    ),
  );
}

function showHead({ site, mode, kill_switch, model_id }) {
  byId("site").textContent = site;
  const badge = byId("mode");
  badge.textContent = kill_switch ? "kill switch on" : mode.replace("_", " ");
  badge.classList.toggle("strong", kill_switch);
  byId("model").textContent = model_id ? `model ${model_id}` : "no model";
}

// --- the map -----------------------------------------------------------------------------------------------------

function buildQuantities() {
  const choices = Object.entries(QUANTITIES).map(([name, { label }]) => {
    const input = element("input", {
      type: "radio",
      name: "quantity",
      value: name,
      checked: name === page.quantity,
    });
    input.addEventListener("change", () => {
      page.quantity = name;
      showMap();
    });
    return element("label", {}, input, ` ${label}`);
  });
  byId("quantity").append(...choices);
}

/** The table is built once per layout, so that polling neither moves the focus nor flickers. */
function buildMap(racks) {
  const rows = Map.groupBy(racks, (rack) => rack.row);
  const columns = Math.max(...racks.map((rack) => rack.position));
  const head = element("tr", {}, element("th", { scope: "col", textContent: "row" }));
  for (let i = 1; i <= columns; i++) head.append(element("th", { scope: "col", textContent: String(i) }));
  const lines = [...rows].map(([row, members]) => {
    const line = element("tr", {}, element("th", { scope: "row", textContent: row }));
    for (const { rack_id } of members) line.append(element("td", {}, mapCell(rack_id)));
    return line;
  });
  byId("map").replaceChildren(element("thead", {}, head), element("tbody", {}, ...lines));
}

function mapCell(rack_id) {
  const button = element("button", { type: "button", id: `cell-${rack_id}` });
  button.addEventListener("click", () => {
    page.rack_id = rack_id;
    showMap();
    showRack();
  });
  return button;
}

function showMap() {
  const { overview } = page;
  if (!overview) return;
  const racks = overview.rack_list;
  if (!byId(`cell-${racks[0].rack_id}`)) buildMap(racks);
  const { unit, low, high, label } = QUANTITIES[page.quantity];
  for (const rack of racks) paintCell(byId(`cell-${rack.rack_id}`), rack);
  byId("scale").textContent = unit ? `${label}: blue ${low} ${unit} … orange ${high} ${unit}` : "";
}

function paintCell(cell, rack) {
  const { field, digits, low, high, unit } = QUANTITIES[page.quantity];
  const is_state = page.quantity === "state";
  const value = is_state ? (STATE_LEVEL[rack.state] ?? null) : rack[field];
  const text = is_state ? rack.state : number(value, digits);
  cell.textContent = `${SHAPES[rack.state]} ${text}`;
  cell.ariaLabel = `${rack.rack_id}: ${text} ${unit}, ${rack.state}${rack.online ? "" : ", no recent data"}`;
  cell.ariaPressed = String(rack.rack_id === page.rack_id);
  cell.title = rack.rack_id;
  cell.classList.toggle("stale", !rack.online);
  cell.classList.toggle("persistent", rack.state === "persistent");
  const share = value === null ? null : Math.min(1, Math.max(0, (value - low) / (high - low)));
  cell.style.setProperty("--cell", share === null ? "" : colour(share));
  cell.style.setProperty("--cell-ink", share !== null && Math.abs(share - 0.5) > 0.35 ? "#fff" : "");
}

/** From cold by way of the middle to hot. */
function colour(share) {
  const [from, to] = share < 0.5 ? ["--cold", "--middle"] : ["--middle", "--hot"];
  const part = Math.round(100 * (share < 0.5 ? share * 2 : share * 2 - 1));
  return `color-mix(in srgb, rgb(var(${to})) ${part}%, rgb(var(${from})))`;
}

// --- one rack ----------------------------------------------------------------------------------------------------

const VALUES = [
  ["inlet", "inlet_c", "°C", 1],
  ["outlet", "outlet_c", "°C", 1],
  ["ΔT", "delta_t", "°C", 1],
  ["power", "pdu_kw", "kW", 2],
  ["tokens/s", "tokens_ps", "", 0],
  ["latency p95", "latency_p95_ms", "ms", 0],
  ["queue", "queue_depth", "", 0],
  ["fan", "fan_rpm_pct", "%", 0],
  ["pump", "pump_rpm_pct", "%", 0],
];

function showRack() {
  const rack = page.overview?.rack_list.find(({ rack_id }) => rack_id === page.rack_id);
  if (!rack) return;
  byId("rack-title").textContent = `Rack ${rack.rack_id}`;
  const facts = [
    ["state", `${SHAPES[rack.state]} ${rack.state}`],
    ["MMS", rack.mms_state ? `${rack.mms_state}, EMA ${number(rack.mms_ema, 2)}` : "–"],
    ["agent", rack.agent_online ? "online" : "not connected"],
    ["scored by", rack.scored_by ?? "–"],
    ["measured", rack.ts ? clockTime(rack.ts) : "–"],
    ...VALUES.map(([name, field, unit, digits]) => [name, `${number(rack[field], digits)} ${unit}`]),
  ];
  const values = element(
    "dl",
    { className: "values" },
    ...facts.map(([name, value]) =>
      element("div", {}, element("dt", { textContent: name }), element("dd", { textContent: value })),
    ),
  );
  byId("rack").replaceChildren(
    values,
    ...(rack.d === null ? [] : [deviationGauge(rack), contributionBars(rack)]),
  );
}

function deviationGauge({ d, tau_fast, tau_persist }) {
  // Room on the right for the name of the upper threshold.
  const full = Math.max(d, tau_persist * 1.35);
  const percent = (value) => `${(100 * value) / full}%`;
  const fill = element("div", { className: d >= tau_fast ? "fill over" : "fill" });
  fill.style.width = percent(d);
  const mark = (value, name, kind) => {
    const node = element(
      "div",
      { className: `mark ${kind}` },
      element("span", { textContent: `${name} ${number(value, 2)}` }),
    );
    node.style.left = percent(value);
    return node;
  };
  const summary = `D ${number(d, 3)}, thresholds ${number(tau_fast, 3)} (fast) and ${number(tau_persist, 3)} (persist)`;
  const gauge = element(
    "div",
    { className: "gauge", role: "img", ariaLabel: summary },
    fill,
    mark(tau_fast, "fast", "lower"),
    mark(tau_persist, "persist", "upper"),
  );
  return element("div", {}, element("p", { textContent: `Deviation D = ${number(d, 3)}` }), gauge);
}

function contributionBars({ contributions }) {
  const bars = contributions.flatMap(({ feature, share }) => {
    const bar = element("div", { className: "bar" });
    bar.style.width = `${100 * share}%`;
    return [
      element("span", { textContent: feature }),
      element("div", { ariaHidden: "true" }, bar),
      element("span", { textContent: `${number(100 * share, 1)} %` }),
    ];
  });
  const what = element("p", { textContent: "What contributes to D²" });
  return element("div", {}, what, element("div", { className: "bars" }, ...bars));
}

// --- logs --------------------------------------------------------------------------------------------------------

function addLine(list, ts, text) {
  const time = element("time", { dateTime: ts, textContent: clockTime(ts) });
  byId(list).prepend(element("li", {}, time, ` ${text}`));
  while (byId(list).children.length > LOG_MAX) byId(list).lastElementChild.remove();
}

function actionText({ rack_id, source, target, from, to, outcome, reason }) {
  const where = rack_id ?? "site";
  const value = (setpoint) => (setpoint === null ? "auto" : Number(setpoint).toFixed(1));
  return `${where} ${target} ${value(from)} → ${value(to)}: ${outcome} (${source}; ${reason})`;
}

function eventText({ type, rack_id, data }) {
  const details = Object.entries(data).map(([name, value]) => {
    return `${name} ${typeof value === "number" ? Number(value.toFixed(3)) : typeof value === "string" ? value : JSON.stringify(value)}`;
  });
  return `${type} ${rack_id ?? ""} ${details.join(", ")}`;
}

async function loadLogs() {
  const [{ actions }, { events }] = await Promise.all([
    api("/actions/log?limit=30"),
    api("/timeline?limit=30"),
  ]);
  for (const list of ["actions", "events"]) byId(list).replaceChildren();
  for (const action of actions.reverse()) addLine("actions", action.ts, actionText(action));
  for (const event of events.reverse()) addLine("events", event.ts, eventText(event));
}

function listen() {
  const socket = new WebSocket(
    `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws/events`,
  );
  socket.addEventListener("open", () => {
    byId("live").textContent = "live";
    loadLogs().catch(showProblem);
  });
  socket.addEventListener("message", ({ data }) => {
    const event = JSON.parse(data);
    if (event.type === "action") addLine("actions", event.ts, actionText(event.data));
    else if (event.type !== "score") addLine("events", event.ts, eventText(event));
  });
  socket.addEventListener("close", () => {
    byId("live").textContent = "reconnecting";
    setTimeout(listen, POLL_MS);
  });
}

// --- scenarios ---------------------------------------------------------------------------------------------------

async function showScenarios() {
  const { simulator, scenarios, running } = await api("/demo/scenarios");
  byId("scenario-section").hidden = !simulator;
  const names = new Set(running.map(({ name }) => name));
  const wanted = JSON.stringify([scenarios, [...names]]);
  if (byId("scenarios").dataset.shown === wanted) return;
  byId("scenarios").dataset.shown = wanted;
  byId("scenarios").replaceChildren(
    ...scenarios.map(({ name, description }) => {
      const is_running = names.has(name);
      const textContent = is_running ? `■ stop ${name}` : `▶ ${name}`;
      const button = element("button", { type: "button", title: description, textContent });
      button.classList.toggle("running", is_running);
      button.addEventListener("click", () => play(name, is_running ? "stop" : "start"));
      return button;
    }),
  );
}

async function play(scenario, action) {
  try {
    await api("/demo/scenario", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ scenario, action, duration_s: SCENARIO_S }),
    });
    byId("scenario-answer").textContent = `${action === "start" ? "started" : "stopped"} ${scenario}`;
  } catch (error) {
    byId("scenario-answer").textContent = error.message;
  }
}

// --- the loop ----------------------------------------------------------------------------------------------------

function showProblem(error) {
  byId("problem").hidden = false;
  byId("problem").textContent = `The aggregator does not answer: ${error.message}`;
}

async function poll() {
  try {
    page.overview = await api("/state/overview");
    byId("problem").hidden = true;
    showHead(page.overview);
    showKpis(page.overview);
    page.rack_id ??= page.overview.worst_rack?.rack_id ?? null;
    showMap();
    showRack();
    await showScenarios();
  } catch (error) {
    showProblem(error);
  }
  setTimeout(poll, POLL_MS);
}

buildQuantities();
listen();
poll();
