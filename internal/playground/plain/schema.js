// Loads the schema by introspection, and shows it in a panel.
(() => {
"use strict";
const { escape, last } = playground;

const TYPE = "kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } }";
const INPUT = `name description defaultValue type { ${TYPE} }`;
const QUERY = `query PlaygroundSchema { __schema {
  queryType { name } mutationType { name } subscriptionType { name }
  types {
    kind name description
    fields(includeDeprecated: true) { name description isDeprecated deprecationReason args { ${INPUT} } type { ${TYPE} } }
    inputFields { ${INPUT} }
    interfaces { name } possibleTypes { name }
    enumValues(includeDeprecated: true) { name description isDeprecated deprecationReason }
  }
  directives { name description args { ${INPUT} } }
} }`;

/** Returns the name of a type without its list and non-null wrappers. */
function baseName(type) {
  while (type.ofType) type = type.ofType;
  return type.name;
}

/** Returns a type in the notation of the schema language. */
function typeText(type) {
  if (type.kind === "NON_NULL") return typeText(type.ofType) + "!";
  if (type.kind === "LIST") return "[" + typeText(type.ofType) + "]";
  return type.name;
}

/** Loads the schema: {types: Map, roots: {query, mutation, subscription}, directives}. */
async function load(send) {
  const { data } = await send({ query: QUERY, operationName: "PlaygroundSchema" });
  const s = data.__schema;
  const name = (type) => (type ? type.name : undefined);
  return {
    types: new Map(s.types.map((t) => [t.name, t])),
    roots: { query: name(s.queryType), mutation: name(s.mutationType), subscription: name(s.subscriptionType) },
    directives: s.directives,
  };
}

const GROUPS = [
  ["OBJECT", "Types"], ["INTERFACE", "Interfaces"], ["UNION", "Unions"], ["ENUM", "Enums"],
  ["INPUT_OBJECT", "Inputs"], ["SCALAR", "Scalars"],
];

/** The schema panel. Its path lists the opened types; the last one is shown. */
class Browser {
  constructor(schema, { docs, breadcrumbs, search }) {
    Object.assign(this, { schema, docs, breadcrumbs, search });
    this.path = [];
    search.addEventListener("input", () => this.show());
    search.addEventListener("keydown", (e) => {
      if (e.key !== "Escape" || !search.value) return;
      search.value = "";
      this.show();
    });
    const follow = (e) => {
      const link = e.target.closest("[data-type]");
      if (link) this.open(link.dataset.type, link.dataset.field);
    };
    docs.addEventListener("click", follow);
    breadcrumbs.addEventListener("click", follow);
    this.show();
  }

  /** Shows a type, and scrolls to the given field of the type, if any. Shows the overview if the type is empty. */
  open(type, field) {
    const at = this.path.indexOf(type);
    if (type === "") this.path = [];
    else this.path = at >= 0 ? this.path.slice(0, at + 1) : [...this.path, type].slice(-6);
    this.search.value = "";
    this.show();
    this.docs.focus({ preventScroll: true });
    this.docs.scrollTop = 0;
    if (field) this.scrollTo(field);
  }

  scrollTo(field) {
    const item = this.docs.querySelector(`[data-name="${field}"]`);
    if (item) item.scrollIntoView({ block: "center" });
  }

  show() {
    const words = this.search.value.trim().toLowerCase();
    const type = this.schema.types.get(last(this.path));
    this.docs.innerHTML = words ? this.results(words) : type ? this.type(type) : this.overview();
    this.breadcrumbs.innerHTML = words || !this.path.length ? "" : [link("", "Schema"), ...this.path.slice(0, -1).map((t) => link(t))].join(" › ") + " ›";
  }

  overview() {
    const { roots, types } = this.schema;
    let html = `<p class="about">The fields of this API. Their descriptions contain the cost in calls to Mixcloud.</p><h3>Root types</h3><ul>`;
    for (const name of Object.values(roots)) if (name) html += `<li><span class="sig">${link(name)}</span>${about(types.get(name), true)}</li>`;
    html += "</ul>";
    for (const [kind, title] of GROUPS) {
      const list = [...types.values()].filter((t) => t.kind === kind && !t.name.startsWith("__") && !Object.values(roots).includes(t.name));
      list.sort((a, b) => a.name.localeCompare(b.name));
      if (list.length) html += `<h3>${title}</h3><ul>${list.map((t) => `<li><span class="sig">${link(t.name)}</span>${about(t, true)}</li>`).join("")}</ul>`;
    }
    return html;
  }

  type(t) {
    let html = `<h2>${escape(t.name)}</h2>${about(t)}`;
    const names = (title, list) => (list && list.length ? `<h3>${title}</h3><p class="sig">${list.map((x) => link(x.name)).join(", ")}</p>` : "");
    html += names("Implements", t.interfaces) + names(t.kind === "UNION" ? "One of" : "Implemented by", t.possibleTypes);
    const fields = t.fields || t.inputFields;
    if (fields && fields.length) html += `<h3>Fields</h3><ul>${fields.map((f) => field(f)).join("")}</ul>`;
    if (t.enumValues && t.enumValues.length) {
      html += `<h3>Values</h3><ul>${t.enumValues.map((v) => `<li><span class="sig"><span class="${v.isDeprecated ? "old" : ""}">${escape(v.name)}</span></span>${about(v)}</li>`).join("")}</ul>`;
    }
    const users = [].concat(...[...this.schema.types.values()].map((o) => (o.name.startsWith("__") ? [] : (o.fields || []).filter((f) => baseName(f.type) === t.name).map((f) => [o.name, f.name]))));
    if (users.length) html += `<h3>Returned by</h3><p class="sig">${users.map(([o, f]) => link(o, `${o}.${f}`, f)).join("<br>")}</p>`;
    return html;
  }

  results(words) {
    const hits = [];
    for (const t of this.schema.types.values()) {
      if (t.name.startsWith("__")) continue;
      hits.push([rank(t.name, words), link(t.name, t.name), t]);
      for (const f of [...(t.fields || []), ...(t.inputFields || []), ...(t.enumValues || [])]) {
        hits.push([rank(f.name, words), link(t.name, `${t.name}.${f.name}`, f.name), f]);
      }
    }
    const byName = hits.filter(([r]) => r < 3).sort((a, b) => a[0] - b[0]).slice(0, 60);
    const byDescription = byName.length < 60 ? hits.filter(([r, , x]) => r === 3 && (x.description || "").toLowerCase().includes(words)).slice(0, 60 - byName.length) : [];
    if (!byName.length && !byDescription.length) return `<p class="about">No results for “${escape(words)}”.</p>`;
    return `<ul>${[...byName, ...byDescription].map(([, l, x]) => `<li><span class="sig">${l}</span>${about(x, true)}</li>`).join("")}</ul>`;
  }
}

// rank returns 0 if the name matches exactly, 1 for a prefix, 2 for a substring, and 3 otherwise.
function rank(name, words) {
  const at = name.toLowerCase().indexOf(words.replace(/^.*\./, ""));
  return at < 0 ? 3 : name.length === words.length ? 0 : at === 0 ? 1 : 2;
}

function link(type, text = type, field = "") {
  return `<button type="button" class="link${field ? " f" : ""}" data-type="${escape(type)}"${field ? ` data-field="${escape(field)}"` : ""}>${escape(text)}</button>`;
}

function typeLink(type) {
  if (type.kind === "NON_NULL") return typeLink(type.ofType) + "!";
  if (type.kind === "LIST") return "[" + typeLink(type.ofType) + "]";
  return link(type.name);
}

// field returns the HTML of a field. More than three arguments are collapsed.
function field(f) {
  const value = (x) => (x.defaultValue ? ` = <span class="n">${escape(x.defaultValue)}</span>` : "");
  const arg = (a) => `<span class="args"><span class="v">${escape(a.name)}</span>: ${typeLink(a.type)}${value(a)}${a.description ? ` <span class="desc">${inline(a.description)}</span>` : ""}</span>`;
  const name = `<span class="f${f.isDeprecated ? " old" : ""}">${escape(f.name)}</span>`;
  const args = f.args || [], type = `: ${typeLink(f.type)}${value(f)}`;
  let sig;
  if (args.length > 3) {
    const names = args.map((a) => `<span class="v">${escape(a.name)}</span>`).join(", ");
    sig = `<details class="sig"><summary>${name}(${names})${type}</summary>${args.map(arg).join("")}</details>`;
  } else sig = `<div class="sig">${name}${args.length ? `(${args.map(arg).join("")})` : ""}${type}</div>`;
  return `<li data-name="${escape(f.name)}">${sig}${about(f)}</li>`;
}

// about returns the HTML of the description, or only its first sentence if short, and of the deprecation.
function about(x, short) {
  let text = x.description || "";
  if (short) text = (/^[\s\S]*?[.!?](?=\s|$)/.exec(text) || [text])[0];
  const paragraphs = text.trim() ? text.trim().split(/\n\s*\n/).map((p) => `<p>${inline(p)}</p>`).join("") : "";
  const old = x.isDeprecated ? `<p class="e">Deprecated: ${inline(x.deprecationReason || "")}</p>` : "";
  return paragraphs || old ? `<div class="desc">${paragraphs}${old}</div>` : "";
}

const inline = (text) => escape(text).replace(/`([^`]+)`/g, "<code>$1</code>");

Object.assign(playground, { Browser, baseName, load, typeText });
})();
