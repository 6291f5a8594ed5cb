// The page: it asks /v1 at most once in two seconds while somebody looks, and shows text as text only.

const TICK_MS = 2000;
const LETTERS_EVERY_MS = 30000;
const LETTERS_SOONEST_MS = 10000;
const LETTERS_MAX = 100;
const LETTERS_SHOWN = 6;
const WINDOW_MS = 5 * 60 * 1000;
const RATE_MS = 60 * 1000;
const STEP_MS = 10 * 1000;
const OLD_S = 60;
const SLOW_S = 0.5;
const TOKEN = "bridge-admin-token";
const SVG = "http://www.w3.org/2000/svg";

const $ = (id) => document.getElementById(id);

/* ---- elements: what comes from data is text, never markup ---- */

function h(tag, attributes, ...children) {
  const element = document.createElement(tag);
  return furnish(element, attributes, children);
}

function svg(tag, attributes, ...children) {
  return furnish(document.createElementNS(SVG, tag), attributes, children);
}

function furnish(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((each) => each !== null && each !== undefined && each !== false));
  return element;
}

// Change what is there into what is wanted, element by element, so that focus, selection and scrolling stay.
function show(parent, ...wanted) {
  const nodes = furnish(document.createElement("div"), null, wanted).childNodes;
  sync(parent, [...nodes]);
}

function sync(parent, wanted) {
  const keyed = new Map([...parent.children].filter((each) => each.dataset.key).map((each) => [each.dataset.key, each]));
  wanted.forEach((node, index) => {
    const key = node.dataset?.key;
    if (key && keyed.has(key) && parent.childNodes[index] !== keyed.get(key)) {
      parent.insertBefore(keyed.get(key), parent.childNodes[index] ?? null);
    }
    const there = parent.childNodes[index];
    if (!there) parent.append(node);
    else if (there.nodeName !== node.nodeName || (there.dataset?.key ?? "") !== (key ?? "")) parent.replaceChild(node, there);
    else if (there.nodeType === Node.TEXT_NODE) { if (there.data !== node.data) there.data = node.data; }
    else adopt(there, node);
  });
  while (parent.childNodes.length > wanted.length) parent.lastChild.remove();
}

function adopt(there, node) {
  for (const { name } of [...there.attributes]) {
    if (!node.hasAttribute(name) && name !== "open") there.removeAttribute(name);
  }
  for (const { name, value } of [...node.attributes]) {
    if (there.getAttribute(name) !== value) there.setAttribute(name, value);
  }
  sync(there, [...node.childNodes]);
}

/* ---- words and numbers ---- */

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const rounded = new Intl.NumberFormat("en", { maximumSignificantDigits: 2 });
const compact = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
const count = (value) => (value >= 100000 ? compact : whole).format(value);
const plural = (value, one, many = `${one}s`) => `${count(value)} ${value === 1 ? one : many}`;

function span(seconds) {
  if (seconds < 1) return ["" + Math.max(1, Math.round(seconds * 1000)), "ms"];
  if (seconds < 10) return [rounded.format(seconds), "s"];
  if (seconds < 100) return [whole.format(seconds), "s"];
  if (seconds < 5400) return [whole.format(seconds / 60), "min"];
  if (seconds < 129600) return [whole.format(seconds / 3600), "h"];
  return [whole.format(seconds / 86400), "days"];
}

const clock = (time) => time.toLocaleTimeString([], { hourCycle: "h23" });
const lasting = (seconds) => span(seconds).join(" ");

function ago(text) {
  if (!text) return "at a time that is not known";
  const then = new Date(text);
  if (Number.isNaN(then.getTime())) return String(text);
  const seconds = (Date.now() - then.getTime()) / 1000;
  const words = seconds < 2 ? "just now" : `${lasting(seconds)} ago`;
  return h("time", { datetime: text, title: `${then.toLocaleString()} (${text})` }, words);
}

const number = (value, title) => h("td", { class: value ? "number" : "number zero", title }, count(value ?? 0));
const pill = (words, mood = "") => h("span", { class: `pill ${mood}`.trim() }, words);
const traceable = (id, words = id) => h("button", { type: "button", class: "link", "data-trace": id, title: `Trace ${id}` }, words);
const heads = (...names) => h("thead", null, h("tr", null, names));
const column = (name, kind, title) => h("th", { scope: "col", class: kind, title }, name);
const empty = (...words) => h("p", { class: "empty" }, words);
const sum = (values) => Object.values(values).reduce((total, each) => total + each, 0);

/* ---- what is remembered: five minutes, in memory ---- */

const past = []; // {at, topics: {topic: {total, ages}}}
let seen = null; // the last overview
let letters = null;
let lettersAt = 0;
let lettersSeen = -1;
let isAllShown = false;

function remember(overview) {
  const topics = {};
  for (const each of overview.topics) topics[each.topic] = { total: sum(each.outcomes), ages: each.ages?.counts ?? [] };
  const last = past.at(-1);
  const isOther = last && (last.process !== overview.health.process || Object.entries(last.topics).some(([name, each]) => each.total > (topics[name]?.total ?? 0)));
  if (isOther) past.length = 0;
  past.push({ at: Date.parse(overview.at), process: overview.health.process, topics });
  while (past.length > 2 && past[1].at < past.at(-1).at - WINDOW_MS) past.shift();
}

const total = (sample, topic) => topic === null
  ? Object.values(sample.topics).reduce((all, each) => all + each.total, 0)
  : sample.topics[topic]?.total ?? 0;

// Commands a second over the last minute; null before there are two samples.
function rate(topic) {
  const last = past.at(-1);
  const first = past.find((each) => each.at >= last.at - RATE_MS);
  return first === last ? null : (total(last, topic) - total(first, topic)) * 1000 / (last.at - first.at);
}

function paced(perSecond) {
  if (perSecond === null) return ["…", ""];
  if (perSecond === 0) return ["0", "/s"];
  return perSecond < 1 ? [rounded.format(perSecond * 60), "/min"] : [perSecond < 100 ? rounded.format(perSecond) : count(perSecond), "/s"];
}

// Commands by steps of ten seconds over the window, for a line; null where nothing was seen yet.
function steps(topic) {
  const end = past.at(-1).at;
  const bins = new Array(WINDOW_MS / STEP_MS).fill(0);
  for (let index = 1; index < past.length; index += 1) {
    const bin = bins.length - 1 - Math.floor((end - past[index].at) / STEP_MS);
    if (bin >= 0) bins[bin] += total(past[index], topic) - total(past[index - 1], topic);
  }
  const known = Math.floor((end - past[0].at) / STEP_MS);
  return bins.map((each, index) => index < bins.length - known ? null : each);
}

function spark(values, label) {
  const most = Math.max(1, ...values);
  const points = values.map((value, index) => [index * 100 / (values.length - 1), 23 - 21 * value / most])
    .filter((_, index) => values[index] !== null).map((each) => each.map((part) => part.toFixed(1)));
  const line = points.map((each) => each.join(",")).join(" ");
  return svg("svg", { class: "spark", viewBox: "0 0 100 24", preserveAspectRatio: "none", role: "img", "aria-label": label },
    points.length > 1 && [svg("path", { d: `M${points[0][0]},24 L${line} L100,24 Z` }), svg("polyline", { points: line })]);
}

// The ages of the window, or of all since the start where it has none; then quantiles of them.
function ages(topics) {
  const found = { bounds: [], counts: [], isWindow: true };
  const gather = (since) => {
    found.counts = [];
    for (const each of topics.filter((topic) => topic.ages)) {
      found.bounds = each.ages.bounds_seconds;
      each.ages.counts.forEach((value, index) => {
        found.counts[index] = (found.counts[index] ?? 0) + value - (since?.topics[each.topic]?.ages[index] ?? 0);
      });
    }
    return found.counts.some((each) => each > 0);
  };
  found.isWindow = gather(past[0]);
  if (!found.isWindow) gather(null);
  return found;
}

function quantile({ bounds, counts }, share) {
  const all = counts.reduce((one, other) => one + other, 0);
  if (!all) return null;
  let below = 0;
  for (let index = 0; index < counts.length; index += 1) {
    if (counts[index] && below + counts[index] >= share * all) {
      const low = index ? bounds[index - 1] : 0;
      const high = bounds[index] ?? low;
      return low + (high - low) * (share * all - below) / counts[index];
    }
    below += counts[index];
  }
  return bounds.at(-1);
}

/* ---- the parts of the page ---- */

const value = (name) => seen.numbers[name]?.[0]?.value ?? null;
const by = (name) => seen.numbers[name] ?? [];

function tile(key, name, [figure, unit], words, mood = "", extra = null) {
  return h("li", { class: `tile ${mood}`.trim(), "data-key": key },
    h("p", null, name), extra, h("p", { class: "figure" }, figure, unit && h("small", null, unit)), h("p", null, words));
}

function tiles() {
  const { health, topics } = seen;
  const figures = health.figures ?? { lag_records: 0, in_hand: 0, waiting: 0, partitions: 0, paused_partitions: 0 };
  const age = ages(topics);
  const late = quantile(age, 0.95);
  const done = topics.reduce((all, each) => all + sum(each.outcomes), 0);
  const dead = topics.reduce((all, each) => all + sum(each.dead_letters), 0);
  const open = letters?.dead_letters.length;
  const feed = value("bridge_feed_lag_seconds");
  const held = figures.paused_partitions;
  show($("tiles"),
    tile("rate", "Commands", paced(rate(null)), `${count(done)} since the start`, "", spark(steps(null), "Commands over the last five minutes")),
    tile("age", "Age at effect, p95", late === null ? ["–", ""] : span(late),
      late === null ? "no command yet" : age.isWindow ? `half within ${lasting(quantile(age, 0.5))}, last 5 min` : "since the start", late > OLD_S ? "warn" : ""),
    tile("lag", "Lag", [count(figures.lag_records), figures.lag_records === 1 ? "record" : "records"],
      `${plural(figures.partitions, "partition")}${held ? `, ${count(held)} held up` : ""}`, held ? "warn" : ""),
    tile("hand", "Without outcome", [count(figures.waiting), figures.waiting === 1 ? "command" : "commands"],
      `${count(figures.in_hand)} in hand, limit ${count(value("bridge_admission_limit") ?? 0)}`),
    tile("dead", "Dead letters, open", open === undefined ? [count(dead), ""] : [count(open) + (letters.more ? "+" : ""), ""],
      `${count(dead)} written by this process`, open ? "bad" : ""),
    tile("feed", "Feed lag", feed === null ? ["–", ""] : feed ? span(feed) : ["0", "s"],
      feed === null ? "no feed yet" : "ends of runs not told yet", feed > OLD_S ? "warn" : ""));
}

function shares(outcomes) {
  const all = sum(outcomes);
  let x = 0;
  const order = ["accepted", "duplicate", "skipped", "rejected", "dead_lettered"];
  const bars = all ? order.filter((name) => outcomes[name]).map((name) => {
    const width = outcomes[name] * 100 / all;
    x += width;
    return svg("rect", { class: name, x: (x - width).toFixed(2), y: 0, width: width.toFixed(2), height: 4 });
  }) : [];
  return svg("svg", { class: "shares", viewBox: "0 0 100 4", preserveAspectRatio: "none", "aria-hidden": "true" }, bars);
}

function condition(each) {
  if (each.paused) return pill("paused by a person", "warn");
  if (each.held_by === "too much waits") return pill("full", "warn");
  if (each.held_by) return pill("held up", "bad");
  if (!each.partitions) return pill("elsewhere");
  return each.partitions_paused ? pill("full", "warn") : pill("flows", "good");
}

function flow() {
  const rows = seen.topics.map((each) => {
    const age = ages([each]);
    const [half, late] = [quantile(age, 0.5), quantile(age, 0.95)];
    const pace = rate(each.topic);
    const verb = each.paused ? "Resume" : "Pause";
    const first = each.commands[0].command;
    const reasons = Object.entries(each.dead_letters).map(([reason, many]) => `${reason}: ${many}`).join(", ");
    return h("tr", { "data-key": each.topic },
      h("th", { scope: "row" }, each.topic,
        h("span", { class: "muted under" }, each.commands.map((one) => each.commands.length > 1 ? `${one.command} (${one.verb})` : one.verb).join(", "))),
      h("td", { class: "tight" }, condition(each), each.held_by && !each.paused ? h("span", { class: "under" }, each.held_by) : null),
      h("td", null, spark(steps(each.topic), `${each.topic}, the last five minutes`), shares(each.outcomes)),
      h("td", { class: pace ? "number" : "number zero" }, pace === null ? "…" : pace < 2 ? rounded.format(pace * 60) : count(pace * 60)),
      number(each.outcomes.accepted), number(each.outcomes.duplicate), number(each.outcomes.rejected),
      number(each.outcomes.dead_lettered, reasons || null),
      h("td", { class: "number", title: age.isWindow ? "the last five minutes" : "since the start" },
        half === null ? "–" : [lasting(half), h("span", { class: "under" }, `p95 ${lasting(late)}`)]),
      number(each.lag),
      h("td", { class: "number" },
        h("button", { type: "button", "data-pausing": each.paused ? "resume" : "pause", "data-command": first, "data-topic": each.topic, "aria-label": `${verb} ${each.topic}` }, verb)));
  });
  show($("flow"), rows.length ? [heads(
    column("Topic"), column("State"), column("Last 5 min"), column("Per minute", "number", "Over the last minute"),
    h("th", { scope: "col", class: "number" }, h("span", { class: "dot accepted" }, "Accepted")),
    h("th", { scope: "col", class: "number" }, h("span", { class: "dot" }, "Duplicate")),
    h("th", { scope: "col", class: "number" }, h("span", { class: "dot rejected" }, "Rejected")),
    h("th", { scope: "col", class: "number" }, h("span", { class: "dot dead" }, "Dead")),
    column("Age", "number", "From Kafka's record to the outcome, half of them"), column("Lag", "number"),
    h("th", { scope: "col" }, h("span", { class: "unseen" }, "Action"))), h("tbody", null, rows)] : []);
  $("flow-note").textContent = `${plural(seen.topics.length, "topic")}; outcomes since this process started`;
  const none = seen.topics.every((each) => !sum(each.outcomes));
  show($("flow-empty"), none ? empty("No command has arrived since this process started. Send one from a terminal: ",
    h("code", null, "bridge publish TOPIC FILE --wait"), ".") : []);
}

function deadLetters() {
  if (!letters) {
    show($("letters-empty"), empty("Reading them from Kafka …"));
    return;
  }
  const rows = letters.dead_letters;
  const reasons = new Map();
  for (const each of rows) reasons.set(each.reason, (reasons.get(each.reason) ?? 0) + 1);
  show($("letters-note"), letters.problem ? [] : rows.length ? [
    `${count(rows.length)}${letters.more ? ", the newest of more" : ""} open: `,
    [...reasons].sort((one, other) => other[1] - one[1]).map(([reason, many]) => [pill(`${reason} ${many}`, "bad"), " "])] : "in all dead-letter topics of the group");
  show($("letters-empty"),
    letters.problem ? empty(`They cannot be read now: ${letters.problem}`)
      : rows.length ? empty("Mend the cause, then put them back: ", h("code", null, "bridge dlq replay TOPIC"), ", or ", h("code", null, "bridge dlq discard"), ".")
        : empty("None is open. A record that is no sound command would be here, with the reason."));
  show($("letters"), rows.length ? [
    heads(column("When"), column("Reason"), column("What is wrong"), column("Command"), column("Where it lay")),
    h("tbody", null, rows.slice(0, isAllShown ? rows.length : LETTERS_SHOWN).map((each) => h("tr", { "data-key": each.letter },
      h("td", { class: "tight" }, ago(each.failed_at ?? each.timestamp)),
      h("td", { class: "tight" }, pill(each.reason ?? "unknown", "bad"), each.replays ? h("span", { class: "under" }, `put back ${each.replays} times before`) : null),
      h("td", { class: "words" }, each.detail ?? "–"),
      h("td", null, each.type ?? "–", h("span", { class: "under" }, each.id ? traceable(each.id) : "no id could be read")),
      h("td", { class: "tight" }, traceable(each.original ?? each.letter)))))] : []);
  $("letters-more").hidden = rows.length <= LETTERS_SHOWN;
  $("letters-more").textContent = isAllShown ? `Show the newest ${LETTERS_SHOWN} only` : `Show all ${count(rows.length)}`;
  $("letters-more").setAttribute("aria-expanded", String(isAllShown));
}

function lanes() {
  const rows = seen.lanes;
  const depth = value("bridge_lane_depth");
  $("lanes-note").textContent = rows.length ? `${plural(value("bridge_lanes") ?? rows.length, "lane")}, the fullest holds ${plural(depth ?? 0, "command")}; first those that were tried most` : "";
  show($("lanes-empty"), rows.length ? [] : empty("Nothing. Every command that was read has its outcome."));
  show($("lanes"), rows.length ? [
    heads(column("Workflow"), column("First command"), column("Age", "number"), column("Commands", "number"), column("Attempts", "number"), column("State")),
    h("tbody", null, rows.map((each) => h("tr", { "data-key": `${each.topic}/${each.partition}/${each.workflow_id ?? each.first.offset}` },
      h("td", null, each.workflow_id ? traceable(each.workflow_id) : "none"),
      h("td", null, each.first.type ?? "no command", h("span", { class: "under" }, traceable(each.first.id ?? `${each.topic}/${each.partition}/${each.first.offset}`))),
      h("td", { class: "number" }, lasting(Math.max(0, each.first.age_ms / 1000))),
      number(each.commands), number(each.attempts),
      h("td", { class: "tight" }, each.waits_for_a_retry ? pill("waits to be tried again", "warn") : each.in_hand ? pill("is carried out", "good") : pill("waits its turn")))))] : []);
}

function ends() {
  const { health } = seen;
  const told = by("bridge_lifecycle_events_total");
  const feed = value("bridge_feed_lag_seconds");
  const gaps = by("bridge_feed_gaps_total").reduce((all, each) => all + each.value, 0);
  const left = value("bridge_watches_left_out");
  const calls = by("bridge_callbacks_total");
  $("ends-note").textContent = "how runs end, told on Kafka";
  show($("ends"), facts([
    ["Behind", feed === null ? "–" : feed ? lasting(feed) : "not at all, or another process owns it"],
    ["Told", told.length ? told.map((each) => `${each.state} ${count(each.value)}`).join(", ") : "nothing yet by this process"],
    ["Learned from", Object.entries(health.lifecycle).map(([name, source]) => `${name}: ${source}`).join(", ") || "nothing yet"],
    ["Watched one by one", `${count(value("bridge_watches") ?? 0)}${left ? `, ${count(left)} more than there is room for` : ""}`],
    calls.length && ["Callbacks", calls.map((each) => `${each.outcome} ${count(each.value)}`).join(", ")],
    gaps > 0 && ["Lost", pill(`ends were lost ${plural(gaps, "time")}: nobody swept for longer than Temporal keeps runs`, "bad")]]));
}

function queues() {
  const retries = by("bridge_retries_total");
  const commits = value("bridge_commit_age_seconds");
  const answer = value("bridge_temporal_answer_seconds");
  $("queues-note").textContent = "who works, and what must be tried again";
  show($("queues"), facts([
    ...by("bridge_task_queue_pollers").map((each) => [each.task_queue,
      each.value ? plural(each.value, "worker") : pill("no worker polls it: start bridge worker, or look at the route's task_queue", "bad")]),
    ["Tried again", retries.length ? retries.map((each) => `${each.cause} ${count(each.value)}`).join(", ") : "nothing"],
    ["Answers in", answer ? pill(`${lasting(answer)} in the mean`, answer > SLOW_S ? "bad" : "good") : "nothing was asked yet"],
    ["Admission limit", `${count(value("bridge_admission_limit") ?? 0)} commands at once`],
    ["Last commit", commits ? `${lasting(commits)} ago` : "all that is done is committed"]]));
}

const facts = (rows) => rows.filter(Boolean).map(([name, told]) => [h("dt", null, name), h("dd", null, told)]);

function partitions() {
  const rows = seen.partitions;
  const held = seen.health.figures?.partitions ?? rows.length;
  const behind = rows.filter((each) => each.lag || each.paused).length;
  $("partitions-note").textContent = !held ? "this process holds none: another of the group does, or it is still joining"
    : behind ? `${count(behind)}${behind === rows.length && held > rows.length ? " or more" : ""} of ${count(held)} behind or held up` : `all ${count(held)} are up to date`;
  show($("partitions"), [
    heads(column("Partition"), column("Lag", "number"), column("Done to", "number"), column("Committed", "number"), column("End", "number"), column("Waiting", "number"), column("State")),
    h("tbody", null, rows.map((each) => h("tr", { "data-key": `${each.topic}/${each.partition}` },
      h("th", { scope: "row" }, `${each.topic}/${each.partition}`), number(each.lag), number(each.done_to), number(each.committed), number(each.end), number(each.waiting),
      h("td", null, each.held_by ? pill(each.held_by, "warn") : each.paused ? pill("too much waits", "warn") : each.begun_alone ? pill("record by record", "warn") : pill("flows", "good")))))]);
}

function notices(...more) {
  const { problems, alerts } = seen?.health ?? { problems: {}, alerts: {} };
  const line = (name, words, mood) => h("p", { class: `notice ${mood}`, "data-key": `${mood}${name}` }, h("b", null, name), words);
  show($("notices"), more.map((words) => line("", words, "bad")),
    Object.entries(problems).map(([name, words]) => line(name, words, "bad")),
    Object.entries(alerts).map(([name, words]) => line(name, words, "warn")));
}

function state(words, mood) {
  if ($("state").textContent !== words) $("state").textContent = words;
  $("state").className = `pill ${mood}`;
}

function paint() {
  const { health } = seen;
  $("data").hidden = false;
  $("data").classList.remove("stale");
  const isReady = health.status === "ready";
  state(isReady ? "ready" : "not ready", isReady ? "good" : "bad");
  $("about").textContent = `group ${health.group}, version ${health.version}`;
  $("pid").textContent = `It is process ${health.process}.`;
  document.title = `${isReady ? "" : "not ready: "}kafka-temporal-bridge`;
  notices();
  for (const part of [tiles, flow, deadLetters, lanes, ends, queues, partitions]) part();
}

/* ---- asking ---- */

class Refused extends Error {
  constructor(status, words, token) {
    super(words);
    this.status = status;
    this.token = token;
  }
}

async function ask(path, options = {}) {
  const token = sessionStorage.getItem(TOKEN);
  const headers = token ? { Authorization: `Bearer ${token}` } : {};
  const answer = await fetch(path, { ...options, headers, cache: "no-store", credentials: "omit", signal: AbortSignal.timeout(60000) })
    .catch(() => { throw new Refused(0, "The daemon does not answer.", token); });
  const body = await answer.json().catch(() => ({}));
  if (answer.status === 404 && body.looked) return body;
  if (!answer.ok) throw new Refused(answer.status, body.problem ?? `It answers ${answer.status}.`, token);
  return body;
}

let timer = 0;
let askedAt = 0;
let isAsking = false;
let isLive = true;

const isWatched = () => isLive && !document.hidden && $("sign-in").hidden;

function soon() {
  clearTimeout(timer);
  if (isWatched() && !isAsking) timer = setTimeout(tick, Math.max(0, askedAt + TICK_MS - Date.now()));
}

// One request a tick: the overview, or, when there may be others, the dead letters.
async function tick() {
  isAsking = true;
  askedAt = Date.now();
  try {
    const written = seen ? seen.topics.reduce((all, each) => all + sum(each.dead_letters), 0) : -1;
    const since = askedAt - lettersAt;
    if (seen && (since > LETTERS_EVERY_MS || (written !== lettersSeen && since > LETTERS_SOONEST_MS))) {
      [lettersSeen, lettersAt] = [written, askedAt];
      letters = await ask(`/v1/dead-letters?count=${LETTERS_MAX}`).catch((problem) => {
        if (problem.status === 401 || problem.status === 403) throw problem;
        return { dead_letters: letters?.dead_letters ?? [], problem: problem.message };
      });
    } else {
      seen = await ask("/v1/overview");
      remember(seen);
      $("sign-out").hidden = !sessionStorage.getItem(TOKEN);
    }
    paint();
    $("updated").textContent = `at ${clock(new Date())}`;
  } catch (problem) {
    failed(problem);
  } finally {
    isAsking = false;
    soon();
  }
}

function failed(problem) {
  if (!(problem instanceof Refused)) throw problem;
  $("data").classList.add("stale");
  if (problem.status === 401) return signIn(problem);
  state(problem.status ? "refused" : "no answer", "bad");
  if (problem.status === 403) $("data").hidden = true;
  notices(problem.status ? problem.message : `The daemon does not answer${seen ? `; what is shown is of ${clock(new Date(seen.at))}` : ""}. It is asked again every ${TICK_MS / 1000} s.`);
}

// A refusal may be of a request that went before the token was given: it counts for its own token only.
function signIn(refused = null) {
  if (refused && refused.token !== sessionStorage.getItem(TOKEN)) return;
  const wasWrong = Boolean(refused?.token);
  sessionStorage.removeItem(TOKEN);
  [seen, letters, lettersAt, lettersSeen] = [null, null, 0, -1];
  past.length = 0;
  $("data").hidden = true;
  $("traced").hidden = true;
  $("sign-out").hidden = true;
  notices();
  state("signed out", "");
  $("sign-in").hidden = false;
  if (wasWrong) $("sign-in-problem").textContent = "That is not the token. See BRIDGE_ADMIN_TOKEN where the daemon runs.";
  $("token").focus();
}

const changing = new Map();

async function setPaused(button) {
  const { pausing, command, topic } = button.dataset;
  if (pausing === changing.get(topic)) return;
  changing.set(topic, pausing); // not disabled: that would take the focus away
  try {
    const done = await ask(`/v1/routes/${encodeURIComponent(command)}/${pausing}`, { method: "POST" });
    for (const each of seen.topics) if (each.topic === done.topic) each.paused = done.paused;
    $("told").textContent = `${topic} is ${done.paused ? "paused, in the whole group" : "going on"}.`;
    paint();
  } catch (problem) {
    notices(`${topic} could not be ${pausing === "pause" ? "paused" : "resumed"}: ${problem.message}`);
  } finally {
    changing.delete(topic);
  }
}

/* ---- the trace ---- */

let asked = 0;

async function trace(id) {
  const mine = asked += 1;
  $("what").value = id;
  $("traced").hidden = false;
  $("traced").setAttribute("aria-busy", "true");
  $("traced-title").textContent = `Trace of ${id}`;
  $("traced-state").textContent = "Looking in Kafka and Temporal …";
  show($("traced-body"));
  $("traced-title").focus();
  try {
    const found = await ask(`/v1/trace/${id.split("/").map(encodeURIComponent).join("/")}`);
    if (mine !== asked) return;
    const commands = found.command ? [found, ...found.others] : [];
    const many = commands.length;
    $("traced-state").textContent = many ? `${plural(many, "command")}${found.more ? "; there are more: ask for one by its own id" : ""}`
      : `Nothing was found of ${id}. It never reached Kafka, the topic's retention has taken it, or it is not an id that is known.`;
    show($("traced-body"), commands.map(account), many ? [] : [looked(found.looked), found.notes.map((note) => empty(note))]);
  } catch (problem) {
    if (mine !== asked) return;
    if (problem.status === 401) signIn(problem);
    $("traced-state").textContent = problem.message;
    if (!(problem instanceof Refused)) throw problem;
  } finally {
    if (mine === asked) $("traced").removeAttribute("aria-busy");
  }
}

const branch = (words, ...under) => {
  const below = under.flat(Infinity).filter(Boolean);
  return h("li", null, words, below.length ? h("ul", null, below) : null);
};
const place = (record) => `${record.topic}/${record.partition}/${record.offset}`;
const code = (text) => h("span", { class: "id" }, text);
const MOODS = { accepted: "good", duplicate: "good", rejected: "warn", completed: "good", running: "", failed: "bad", terminated: "bad", timed_out: "bad", cancelled: "warn" };

function account(told) {
  const { command, route } = told;
  const decided = told.outcome ?? "nothing is decided yet";
  const own = (run) => told.lifecycle.filter((each) => each.data?.run_id === run.run_id);
  return h("article", { class: "account" },
    h("h3", null, `${command.type ?? "record"} `, code(command.id ?? "without an id")),
    h("ul", { class: "tree" },
      branch(["arrived ", ago(command.time), ` from ${command.source ?? "nobody"}`],
        told.arrivals.map((each) => branch([code(each.place), " ", ago(each.time), each.replays ? `, put back for the ${each.replays}. time` : ""]))),
      branch([pill(decided, told.dead_letters.length && decided === "rejected" ? "bad" : MOODS[told.outcome] ?? ""), told.reason ?? ""],
        route && branch([`route ${route.command}: `, [route.verb, route.workflow, route.signal, route.update].filter(Boolean).join(" "), route.task_queue ? ` on ${route.task_queue}` : ""]),
        told.detail && branch(told.detail),
        told.workflow.workflow_id && branch(["workflow id ", traceable(told.workflow.workflow_id)]),
        told.against && branch(["the latest run of it is ", code(told.against.run_id), `, ${told.against.state}, `, told.against.closed_at ? ["closed ", ago(told.against.closed_at)] : ["started ", ago(told.against.started_at)]])),
      told.runs.map((run) => branch([pill(run.state, MOODS[run.state] ?? ""), `run of ${run.workflow_type} on ${run.task_queue} `, code(run.run_id)],
        branch(["started ", ago(run.started_at)]),
        run.closed_at && branch(["closed ", ago(run.closed_at)]),
        run.failure && branch(`failed with ${run.failure.type}`),
        run.waits.map((wait) => branch(wait)),
        records("lifecycle", own(run)))),
      records("events", told.events),
      told.runs.length ? null : records("lifecycle", told.lifecycle),
      records("replies", told.replies),
      told.dead_letters.length ? branch("dead letters", told.dead_letters.map((each) =>
        branch([pill(each.reason, "bad"), ago(each.timestamp), " ", code(place(each)), `: ${each.state}`], each.detail && branch(each.detail)))) : null,
      Object.entries(told.links).filter(([, link]) => /^https?:\/\//.test(link)).map(([name, link]) =>
        branch(h("a", { href: link, target: "_blank", rel: "noopener noreferrer" }, name === "temporal" ? "open the run in Temporal's UI" : "open the trace"))),
      told.trace_id && branch(["trace id ", traceable(told.trace_id)]),
      told.notes.map((note) => branch(`note: ${note}`))),
    looked(told.looked));
}

function records(name, listed) {
  return listed.length ? branch(name, listed.map((each) => branch([each.type ?? "record", " ", ago(each.time ?? each.timestamp), " ", code(place(each))]))) : null;
}

function looked(places) {
  const sums = new Map();
  for (const { where, records: read, found } of places) {
    const topic = /\/\d+$/.test(where) ? where.slice(0, where.lastIndexOf("/")) : where;
    const [reads, meant] = sums.get(topic) ?? [0, 0];
    sums.set(topic, [reads + read, meant + found]);
  }
  return h("details", null, h("summary", null, "Where was looked"),
    h("ul", { class: "tree" }, [...sums].map(([topic, [read, meant]]) => branch(`${topic}: ${plural(read, "record")} read, ${count(meant)} found`))));
}

/* ---- what a person does ---- */

const named = () => {
  try {
    return decodeURIComponent(location.hash.slice(1));
  } catch {
    return location.hash.slice(1);
  }
};

function follow() {
  const id = named();
  if (id) trace(id);
  else $("traced").hidden = true;
}

function go(id) {
  if (named() === id) trace(id);
  else location.hash = encodeURIComponent(id);
}

$("search").addEventListener("submit", (event) => {
  event.preventDefault();
  const id = $("what").value.trim();
  if (id) go(id);
});

$("sign-in").addEventListener("submit", (event) => {
  event.preventDefault();
  sessionStorage.setItem(TOKEN, $("token").value.trim());
  $("token").value = "";
  $("sign-in-problem").textContent = "";
  $("sign-in").hidden = true;
  askedAt = 0;
  soon();
  follow();
});

$("sign-out").addEventListener("click", () => {
  sessionStorage.removeItem(TOKEN);
  signIn();
});

$("close-trace").addEventListener("click", () => {
  history.replaceState(null, "", location.pathname);
  $("traced").hidden = true;
  asked += 1;
  $("what").focus();
});

$("live").addEventListener("click", () => {
  isLive = !isLive;
  $("live").setAttribute("aria-pressed", String(isLive));
  soon();
});

$("letters-more").addEventListener("click", () => {
  isAllShown = !isAllShown;
  deadLetters();
});

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-trace], [data-pausing]");
  if (button?.dataset.trace) go(button.dataset.trace);
  else if (button) setPaused(button);
});

document.addEventListener("keydown", (event) => {
  const isTyping = /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName);
  if (event.key === "/" && !isTyping && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault();
    $("what").focus();
    $("what").select();
  }
  if (event.key === "Escape" && !$("traced").hidden && !isTyping) $("close-trace").click();
});

document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault(); // what stands behind the # is an id
  $("what").focus();
});

document.addEventListener("visibilitychange", soon);
window.addEventListener("hashchange", follow);
window.addEventListener("pageshow", soon);
soon();
follow();
