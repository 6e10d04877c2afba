// The page: asks this server's graph, and nothing else, when told to.
import { Editor } from "./editor.js";
import { Completer } from "./complete.js";
import { Browser, load } from "./schema.js";
import { colourGraphQL, colourJSON, operations, tidy } from "./syntax.js";

const $ = (id) => document.getElementById(id);
const keep = (store, key, value) => {
  try {
    if (value) store.setItem(key, value);
    else store.removeItem(key);
  } catch { /* storage is switched off: nothing is kept */ }
};
const kept = (store, key) => {
  try { return store.getItem(key) ?? ""; } catch { return ""; }
};
const say = (text) => {
  $("said").textContent = text;
  clearTimeout(say.timer);
  say.timer = setTimeout(() => { $("said").textContent = ""; }, 4000);
};

// The token is a header of a request to this server, and kept in this tab alone.
$("token").value = kept(sessionStorage, "token");
$("token").addEventListener("input", () => keep(sessionStorage, "token", $("token").value.trim()));
$("token-show").addEventListener("click", (e) => {
  const shown = $("token").type === "password";
  $("token").type = shown ? "text" : "password";
  e.target.textContent = shown ? "Hide" : "Show";
  e.target.setAttribute("aria-pressed", String(shown));
});

// Who is signed in, if anybody can: the browser keeps that in a cookie which no script can read.
const canSignIn = JSON.parse(document.querySelector("meta[name=options]").content).signIn === true;
let viewer = null;

/** Sends an operation. Gives {data, text, status, took, id}; data is null for what is no JSON. */
async function ask(operation, { signal, token = "", cost = false } = {}) {
  const headers = { "Content-Type": "application/json", Accept: "application/graphql-response+json, application/json;q=0.9" };
  if (token) headers.Authorization = "Bearer " + token; // and the cookie does not count
  if (canSignIn) headers["X-Requested-With"] = "playground"; // without which it does not count either
  if (cost) headers["X-GraphQL-Cost"] = "true";
  const start = performance.now();
  const response = await fetch("/graphql", { method: "POST", headers, body: JSON.stringify(operation), signal,
    credentials: canSignIn ? "same-origin" : "omit" });
  const text = await response.text();
  const took = performance.now() - start;
  let body = null;
  try { body = JSON.parse(text); } catch { /* shown as it is */ }
  return { body, data: body?.data, text, took, status: response.status, id: response.headers.get("X-Request-Id") };
}

async function whoAmI() {
  const { body, data } = await ask({ query: "query Viewer { viewer { name username } }" });
  viewer = data?.viewer ?? null;
  if (body?.errors?.some((e) => e.extensions?.code === "UNAUTHENTICATED")) await signOut(); // it was revoked
  $("viewer").hidden = false;
  $("sign-in").hidden = Boolean(viewer);
  $("signed-in").hidden = !viewer;
  $("who").textContent = viewer?.name || viewer?.username || "";
  $("who").title = viewer ? `Signed in as ${viewer.username}` : "";
}
const signOut = () => fetch("/oauth/logout", { method: "POST", credentials: "same-origin", redirect: "manual" });
$("sign-out").addEventListener("click", async () => {
  await signOut();
  await whoAmI();
  say("Signed out.");
});
if (canSignIn) whoAmI().catch(() => { /* the server cannot be reached: the first query will say so */ });

const query = new Editor($("query-editor"), colourGraphQL, {
  onChange: (text) => {
    keep(localStorage, "query", text);
    label();
  },
  onRun: () => run(),
});
const variables = new Editor($("variables-editor"), (t) => colourJSON(t), {
  onChange: (text) => {
    keep(localStorage, "variables", text);
    $("variables-problem").textContent = problem(text);
  },
  onRun: () => run(),
});

function problem(text) {
  if (!text.trim()) return "";
  try {
    const value = JSON.parse(text);
    return value && typeof value === "object" && !Array.isArray(value) ? "" : "must be a JSON object";
  } catch { return "not valid JSON"; }
}

/** The operation to run: the one at the cursor, if there are several. */
function chosen() {
  const all = operations($("query").value);
  const at = $("query").selectionStart;
  return all.find((o) => at >= o.from && at <= o.to) ?? all[0];
}

let running = null;
function label() {
  const name = operations($("query").value).length > 1 ? chosen()?.name : "";
  $("run").querySelector(".label").textContent = running ? "Stop" : name ? "Run " + name : "Run";
}
for (const event of ["keyup", "click"]) $("query").addEventListener(event, label);

async function run() {
  if (running) return running.abort();
  if (problem(variables.text)) {
    $("variables-box").open = true;
    $("variables").focus();
    return;
  }
  running = new AbortController();
  label();
  $("answer").classList.add("busy");
  $("status").textContent = "Asking…";
  show("answer");
  const operation = { query: query.text };
  if (chosen()?.name) operation.operationName = chosen().name;
  if (variables.text.trim()) operation.variables = JSON.parse(variables.text);
  try {
    answer(await ask(operation, { signal: running.signal, token: $("token").value.trim(), cost: true }));
  } catch (e) {
    const stopped = e.name === "AbortError";
    $("status").className = "bad";
    $("status").textContent = stopped ? "Stopped." : "The server cannot be reached.";
    if (!stopped) $("result").textContent = String(e.message);
  }
  running = null;
  $("answer").classList.remove("busy");
  label();
}

/** Takes what the answer has cost out of it: this page has asked for that, not the one who wrote the query. */
function spent(body) {
  const cost = body?.extensions?.cost;
  if (!cost) return null;
  delete body.extensions.cost;
  if (!Object.keys(body.extensions).length) delete body.extensions;
  return cost;
}

function answer({ body, text, took, status, id }) {
  const errors = body?.errors?.length ?? 0;
  const size = new Blob([text]).size;
  const facts = [
    `${took < 1000 ? Math.round(took) + " ms" : (took / 1000).toFixed(2) + " s"}`,
    size < 1024 ? `${size} B` : `${(size / 1024).toFixed(1)} kB`,
  ];
  const cost = spent(body);
  if (cost) facts.push(cost.upstreamCalls === 1 ? "1 call" : `${cost.upstreamCalls} calls`);
  if (cost?.stale) facts.push("stale in part");
  if (errors) facts.unshift(errors === 1 ? "1 error" : `${errors} errors`);
  $("status").className = errors || status >= 400 ? "bad" : "";
  $("status").innerHTML = "<b></b> <span></span>";
  $("status").firstChild.textContent = status;
  $("status").lastChild.textContent = " · " + facts.join(" · ");
  $("status").title = [
    cost && `At most ${cost.estimated} calls to Mixcloud, of ${cost.budget} allowed; ${cost.cacheHits + cost.coalesced} saved by the cache`,
    id && `Request ${id}`,
  ].filter(Boolean).join(". ");
  $("result").innerHTML = colourJSON(body ? JSON.stringify(body, null, 2) : text, true);
  $("result").scrollTop = 0;
  $("copy").hidden = false;
}

$("run").addEventListener("click", run);
$("prettify").addEventListener("click", () => {
  query.replace(tidy(query.text));
  if (variables.text.trim() && !problem(variables.text)) variables.text = JSON.stringify(JSON.parse(variables.text), null, 2);
});
$("share").addEventListener("click", async () => {
  const parts = new URLSearchParams({ query: query.text });
  if (variables.text.trim()) parts.set("variables", variables.text);
  history.replaceState(null, "", "#" + parts.toString().replaceAll("+", "%20"));
  try {
    await navigator.clipboard.writeText(location.href);
    say("Link copied.");
  } catch { say("The link is in the address bar."); }
});
$("copy").addEventListener("click", async () => {
  try {
    await navigator.clipboard.writeText($("result").textContent);
    say("Answer copied.");
  } catch { say("The browser does not allow copying."); }
});

// A link brings a query, never an answer: nothing runs until somebody runs it.
function fromLink() {
  const parts = new URLSearchParams(location.hash.slice(1).replaceAll("+", "%2B"));
  if (!parts.has("query")) return false;
  query.text = parts.get("query");
  variables.text = parts.get("variables") ?? "";
  const named = operations(query.text).find((o) => o.name && o.name === parts.get("operationName"));
  if (named) $("query").setSelectionRange(named.from, named.from); // the one that "Run" runs
  label();
  return true;
}
addEventListener("hashchange", fromLink);

function show(part) {
  document.querySelector("main").dataset.show = part;
  for (const b of document.querySelectorAll(".tabs button")) b.setAttribute("aria-pressed", String(b.dataset.show === part));
}
document.querySelector(".tabs").addEventListener("click", (e) => e.target.dataset.show && show(e.target.dataset.show));

const dark = matchMedia("(prefers-color-scheme: dark)");
function theme() {
  const now = kept(localStorage, "theme") || (dark.matches ? "dark" : "light");
  document.documentElement.dataset.theme = now;
  $("theme").textContent = now === "dark" ? "☀ Light" : "☾ Dark";
}
$("theme").addEventListener("click", () => {
  keep(localStorage, "theme", document.documentElement.dataset.theme === "dark" ? "light" : "dark");
  theme();
});
dark.addEventListener("change", theme);
theme();

document.addEventListener("keydown", (e) => {
  if (e.key === "/" && !e.ctrlKey && !e.metaKey && !/^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement.tagName)) {
    e.preventDefault();
    show("schema");
    $("search").focus();
  } else if (e.shiftKey && e.altKey && e.code === "KeyF") {
    e.preventDefault();
    $("prettify").click();
  } else if (e.key === "Enter" && (e.ctrlKey || e.metaKey) && !e.defaultPrevented) run();
});

const examples = await fetch("/playground/examples.json").then((r) => r.json()).catch(() => []);
for (const [i, example] of examples.entries()) $("examples").append(new Option(example.title, i));
function use(example) {
  query.text = example.query;
  variables.text = example.variables ? JSON.stringify(example.variables, null, 2) : "";
  $("variables-box").open = Boolean(example.variables);
  if (example.token && !$("token").value && !viewer) {
    $("token").focus();
    say(canSignIn ? "This one needs a viewer: sign in, or give a token." : "This one needs an access token.");
  }
}
$("examples").addEventListener("change", (e) => {
  if (e.target.value === "") return;
  use(examples[e.target.value]);
  e.target.value = "";
  show("ask");
});
if (!fromLink()) {
  if (kept(localStorage, "query").trim()) {
    query.text = kept(localStorage, "query");
    variables.text = kept(localStorage, "variables");
  } else if (examples.length) use(examples[0]);
}

try {
  const schema = await load(ask);
  new Browser(schema, { docs: $("docs"), trail: $("trail"), search: $("search") });
  new Completer(query, $("complete"), schema);
} catch {
  $("docs").textContent = "The schema could not be loaded: introspection may be switched off.";
}
