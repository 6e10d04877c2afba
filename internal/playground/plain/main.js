// The small page. It sends the user's queries to this server, and loads no files from other servers.
(() => {
"use strict";
const { Browser, Completer, Editor, colorGraphQL, colorJSON, load, operations, prettify } = playground;

const $ = (id) => document.getElementById(id);
const save = (key, value) => {
  try {
    if (value) localStorage.setItem(key, value);
    else localStorage.removeItem(key);
  } catch (e) { /* storage is disabled: nothing is saved */ }
};
const saved = (key) => {
  try { return localStorage.getItem(key) || ""; } catch (e) { return ""; }
};
const notify = (text) => {
  $("notice").textContent = text;
  clearTimeout(notify.timer);
  notify.timer = setTimeout(() => { $("notice").textContent = ""; }, 4000);
};

// The page sends the token in a header to this server only, and does not store it.
$("token-show").addEventListener("click", (e) => {
  const shown = $("token").type === "password";
  $("token").type = shown ? "text" : "password";
  e.target.textContent = shown ? "Hide" : "Show";
  e.target.setAttribute("aria-pressed", String(shown));
});

// If sign-in is enabled, the session is in a cookie that scripts cannot read.
const canSignIn = JSON.parse(document.querySelector("meta[name=options]").content).signIn === true;
let viewer = null;

/** Sends an operation. Returns {body, data, text, duration, status, id}; body is null if the response is not JSON. */
async function send(operation, { signal, token = "", cost = false } = {}) {
  const headers = { "Content-Type": "application/json", Accept: "application/graphql-response+json, application/json;q=0.9" };
  if (token) headers.Authorization = "Bearer " + token; // takes precedence over the cookie
  if (canSignIn) headers["X-Requested-With"] = "playground"; // the server ignores the cookie without it (CSRF)
  if (cost) headers["X-GraphQL-Cost"] = "true";
  const start = performance.now();
  const response = await fetch("/graphql", { method: "POST", headers, body: JSON.stringify(operation), signal,
    credentials: canSignIn ? "same-origin" : "omit" });
  const text = await response.text();
  const duration = performance.now() - start;
  let body = null;
  try { body = JSON.parse(text); } catch (e) { /* shown as text */ }
  return { body, data: body ? body.data : undefined, text, duration, status: response.status, id: response.headers.get("X-Request-Id") };
}

const errorsOf = (body) => (body && body.errors) || [];

async function loadViewer() {
  const { body, data } = await send({ query: "query Viewer { viewer { name username } }" });
  viewer = (data && data.viewer) || null;
  if (errorsOf(body).some((e) => e.extensions && e.extensions.code === "UNAUTHENTICATED")) await signOut(); // the token was revoked
  $("viewer").hidden = false;
  $("sign-in").hidden = Boolean(viewer);
  $("signed-in").hidden = !viewer;
  $("who").textContent = viewer ? viewer.name || viewer.username : "";
  $("who").title = viewer ? `Signed in as ${viewer.username}` : "";
}
const signOut = () => fetch("/oauth/logout", { method: "POST", credentials: "same-origin", redirect: "manual",
  headers: { "X-Requested-With": "playground" } });
$("sign-out").addEventListener("click", async () => {
  await signOut();
  await loadViewer();
  notify("Signed out.");
});
if (canSignIn) loadViewer().catch(() => { /* The server is unreachable. The first query reports this. */ });

const query = new Editor($("query-editor"), colorGraphQL, {
  onChange: (text) => {
    save("query", text);
    updateRunButton();
  },
  onRun: () => run(),
});
const variables = new Editor($("variables-editor"), (t) => colorJSON(t), {
  onChange: (text) => {
    save("variables", text);
    $("variables-problem").textContent = variablesError(text);
  },
  onRun: () => run(),
});

function variablesError(text) {
  if (!text.trim()) return "";
  try {
    const value = JSON.parse(text);
    return value && typeof value === "object" && !Array.isArray(value) ? "" : "must be a JSON object";
  } catch (e) { return "not valid JSON"; }
}

/** Returns the operation to run: the operation at the cursor, otherwise the first one. */
function selectedOperation() {
  const all = operations($("query").value);
  const at = $("query").selectionStart;
  return all.find((o) => at >= o.from && at <= o.to) || all[0] || { name: "" };
}

let running = null;
function updateRunButton() {
  const name = operations($("query").value).length > 1 ? selectedOperation().name : "";
  $("run").querySelector(".label").textContent = running ? "Stop" : name ? "Run " + name : "Run";
}
for (const event of ["keyup", "click"]) $("query").addEventListener(event, updateRunButton);

async function run() {
  if (running) {
    if (running.abort) running.abort();
    return;
  }
  if (variablesError(variables.text)) {
    $("variables-box").open = true;
    $("variables").focus();
    return;
  }
  running = window.AbortController ? new AbortController() : {};
  updateRunButton();
  $("response").classList.add("busy");
  $("status").textContent = "Running…";
  show("response");
  const operation = { query: query.text };
  if (selectedOperation().name) operation.operationName = selectedOperation().name;
  if (variables.text.trim()) operation.variables = JSON.parse(variables.text);
  try {
    showResponse(await send(operation, { signal: running.signal, token: $("token").value.trim(), cost: true }));
  } catch (e) {
    const stopped = e.name === "AbortError";
    $("status").className = "bad";
    $("status").textContent = stopped ? "Stopped." : "The server is unreachable.";
    if (!stopped) $("result").textContent = String(e.message);
  }
  running = null;
  $("response").classList.remove("busy");
  updateRunButton();
}

/** Removes the cost from a response body, because the page requested it, not the user. Returns the cost, or null. */
function takeCost(body) {
  const cost = body && body.extensions && body.extensions.cost;
  if (!cost) return null;
  delete body.extensions.cost;
  if (!Object.keys(body.extensions).length) delete body.extensions;
  return cost;
}

function showResponse({ body, text, duration, status, id }) {
  const errors = errorsOf(body).length;
  const size = new Blob([text]).size;
  const facts = [
    `${duration < 1000 ? Math.round(duration) + " ms" : (duration / 1000).toFixed(2) + " s"}`,
    size < 1024 ? `${size} B` : `${(size / 1024).toFixed(1)} kB`,
  ];
  const cost = takeCost(body);
  if (cost) facts.push(cost.upstreamCalls === 1 ? "1 call" : `${cost.upstreamCalls} calls`);
  if (cost && cost.stale) facts.push("partly stale");
  if (errors) facts.unshift(errors === 1 ? "1 error" : `${errors} errors`);
  $("status").className = errors || status >= 400 ? "bad" : "";
  $("status").innerHTML = "<b></b> <span></span>";
  $("status").firstChild.textContent = status;
  $("status").lastChild.textContent = " · " + facts.join(" · ");
  $("status").title = [
    cost && `Estimate: ${cost.estimated} calls to Mixcloud, at most ${cost.budget} allowed. Cache hits and shared calls: ${cost.cacheHits + cost.coalesced}`,
    id && `Request ${id}`,
  ].filter(Boolean).join(". ");
  $("result").innerHTML = colorJSON(body ? JSON.stringify(body, null, 2) : text, true);
  $("result").scrollTop = 0;
  $("copy").hidden = false;
}

$("run").addEventListener("click", run);
$("prettify").addEventListener("click", () => {
  query.replace(prettify(query.text));
  if (variables.text.trim() && !variablesError(variables.text)) variables.text = JSON.stringify(JSON.parse(variables.text), null, 2);
});
$("share").addEventListener("click", async () => {
  const parts = new URLSearchParams({ query: query.text });
  if (variables.text.trim()) parts.set("variables", variables.text);
  history.replaceState(null, "", "#" + parts.toString().replace(/\+/g, "%20"));
  try {
    await navigator.clipboard.writeText(location.href);
    notify("Link copied.");
  } catch (e) { notify("The link is in the address bar."); }
});
$("copy").addEventListener("click", async () => {
  try {
    await navigator.clipboard.writeText($("result").textContent);
    notify("Response copied.");
  } catch (e) { notify("The browser does not allow copying."); }
});

// Loads the query of a shared link, but does not run it.
function fromLink() {
  const parts = new URLSearchParams(location.hash.slice(1).replace(/\+/g, "%2B"));
  if (!parts.has("query")) return false;
  query.text = parts.get("query");
  variables.text = parts.get("variables") || "";
  const selected = operations(query.text).find((o) => o.name && o.name === parts.get("operationName"));
  if (selected) $("query").setSelectionRange(selected.from, selected.from); // selects the operation for "Run"
  updateRunButton();
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
  const current = saved("theme") || (dark.matches ? "dark" : "light");
  document.documentElement.dataset.theme = current;
  $("theme").textContent = current === "dark" ? "☀ Light" : "☾ Dark";
}
$("theme").addEventListener("click", () => {
  save("theme", document.documentElement.dataset.theme === "dark" ? "light" : "dark");
  theme();
});
dark.addListener(theme); // browsers without modules have no addEventListener here
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

function loadExample(example) {
  query.text = example.query;
  variables.text = example.variables ? JSON.stringify(example.variables, null, 2) : "";
  $("variables-box").open = Boolean(example.variables);
  if (example.token && !$("token").value && !viewer) {
    $("token").focus();
    notify(canSignIn ? "This query needs a viewer: sign in, or enter an access token." : "This query needs an access token.");
  }
}

async function start() {
  // This page supports neither uploads nor subscriptions.
  const examples = (await fetch("/playground/examples.json").then((r) => r.json()).catch(() => []))
    .filter((example) => !example.files && example.kind !== "subscription");
  examples.forEach((example, i) => $("examples").append(new Option(example.title, i)));
  $("examples").addEventListener("change", (e) => {
    if (e.target.value === "") return;
    loadExample(examples[e.target.value]);
    e.target.value = "";
    show("request");
  });
  if (!fromLink()) {
    if (saved("query").trim()) {
      query.text = saved("query");
      variables.text = saved("variables");
    } else if (examples.length) loadExample(examples[0]);
  }

  try {
    const schema = await load(send);
    new Browser(schema, { docs: $("docs"), breadcrumbs: $("breadcrumbs"), search: $("search") });
    new Completer(query, $("complete"), schema);
  } catch (e) {
    $("docs").textContent = "The schema could not be loaded: introspection may be disabled.";
  }
}
start();
})();
