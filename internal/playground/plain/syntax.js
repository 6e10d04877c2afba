// A lexer for GraphQL and JSON, for highlighting, formatting and completion. It accepts invalid
// and incomplete text.
//
// The scripts of this page are for browsers that cannot run modules. So they use ECMAScript 2017 only, and share
// the object playground.
const playground = {};

(() => {
"use strict";

const GRAPHQL = /(#[^\n]*)|("""[\s\S]*?(?:"""|$)|"(?:\\.|[^"\\\n])*"?)|(\.\.\.)|(\$[_A-Za-z]\w*)|(@[_A-Za-z]\w*)|([_A-Za-z]\w*)|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|([{}()[\]:=!|&])|([\s,]+)|(.)/gy;
const KINDS = ["comment", "string", "spread", "variable", "directive", "name", "number", "punct", "space", "other"];
const KEYWORDS = new Set(["query", "mutation", "subscription", "fragment", "on", "true", "false", "null"]);

/** Returns all matches of an expression that is sticky and does not match an empty text. */
function matches(expression, text) {
  const list = [];
  expression.lastIndex = 0;
  for (let m = expression.exec(text); m; m = expression.exec(text)) list.push(m);
  return list;
}

/** Returns the last item of a list; undefined if it is empty. */
const last = (list) => list[list.length - 1];

/** Returns the tokens of a GraphQL document: {kind, text, at}. Their texts form the document. */
function tokens(text) {
  const list = [];
  for (const m of matches(GRAPHQL, text)) {
    const kind = KINDS[m.slice(1).findIndex((g) => g !== undefined)];
    list.push({ kind, text: m[0], at: m.index });
  }
  return list;
}

/** Escapes text for use between tags and in quoted attributes. */
function escape(text) {
  return text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
}

const span = (cls, text) => `<span class="${cls}">${escape(text)}</span>`;

/** Returns a GraphQL document as HTML with syntax highlighting. */
function colorGraphQL(text) {
  const classes = { comment: "c", string: "s", spread: "p", variable: "v", directive: "k", number: "n", punct: "p", other: "e" };
  let html = "", depth = 0, previous = "";
  for (const t of tokens(text)) {
    let cls = classes[t.kind];
    if (t.kind === "name") {
      if (KEYWORDS.has(t.text) && (depth === 0 || t.text === "on" && previous === "..." || /^(true|false|null)$/.test(t.text))) cls = "k";
      else if (previous === "on" || (depth === 0 && /[:[]/.test(previous))) cls = "t";
    }
    if (t.text === "{") depth++;
    if (t.text === "}") depth = Math.max(0, depth - 1);
    if (t.kind !== "space" && t.kind !== "comment") previous = t.text;
    html += cls ? span(cls, t.text) : escape(t.text);
  }
  return html;
}

const JSON_TOKENS = /("(?:\\.|[^"\\\n])*"?)(\s*:)?|(-?\d[\d.eE+-]*)|\b(true|false|null)\b|([{}[\],:])|(\s+)|(.)/gy;

/** Returns JSON as HTML with syntax highlighting. URLs become links if links is true. */
function colorJSON(text, links = false) {
  let html = "";
  for (const [, string, colon, number, word, punct, space, other] of matches(JSON_TOKENS, text)) {
    if (string !== undefined) {
      if (colon !== undefined) html += span("f", string) + escape(colon);
      else if (links && /^"https?:\/\/[^\s"\\]+"$/.test(string)) {
        const url = escape(string.slice(1, -1));
        html += `<span class="s">"<a href="${url}" target="_blank" rel="noopener noreferrer">${url}</a>"</span>`;
      } else html += span("s", string);
    } else if (number !== undefined) html += span("n", number);
    else if (word !== undefined) html += span("k", word);
    else if (punct !== undefined) html += span("p", punct);
    else html += escape(space === undefined ? other : space);
  }
  return html;
}

/** Formats a document: two spaces per level, one field per line, arguments on one line. */
function prettify(text) {
  let out = "", line = "", level = 0, round = 0, blank = false, previous = null;
  const indent = () => "  ".repeat(level);
  const flush = () => {
    if (line.trim()) out += indent() + line.trim() + "\n";
    line = "";
  };
  for (const t of tokens(text)) {
    if (t.kind === "space") {
      if (/\n[^\n]*\n/.test(t.text)) blank = true;
      if (t.text.includes("\n") && previous && previous.kind === "comment") flush();
      else if (t.text.includes(",") && round) line = line.trimEnd() + ", ";
      else if (round || level === 0) line += line && !/[\s([]$/.test(line) ? " " : "";
      previous = t;
      continue;
    }
    if (t.kind === "comment") {
      if ((previous && previous.text.includes("\n")) || (!out && !line)) {
        flush();
        if (blank && out) out += "\n";
      } else if (line) line = line.trimEnd() + " ";
      line += t.text.trimEnd();
      flush();
    } else if (t.text === "{" && !round) {
      line = line.trimEnd() + (line.trim() ? " {" : "{");
      flush();
      level++;
    } else if (t.text === "}" && !round) {
      flush();
      level = Math.max(0, level - 1);
      line = "}";
      flush();
      if (level === 0) out += "\n"; // between definitions
      previous = t;
      continue;
    } else if (/^[([{]$/.test(t.text)) {
      line = t.text === "(" ? line.trimEnd() + "(" : line + t.text;
      round++;
    } else if (/^[)\]}]$/.test(t.text)) {
      line = line.trimEnd() + t.text;
      round = Math.max(0, round - 1);
    } else if (t.text === ":") line = line.trimEnd() + ": ";
    else if (t.text === "!") line = line.trimEnd() + "!";
    else if (t.text === "=") line = line.trimEnd() + " = ";
    else {
      const joins = round || level === 0 || t.kind === "directive" || /(:|\.\.\.|\bon|@\w+)\s*$/.test(line) || t.text === "on" && line.endsWith("...");
      if (!joins) flush();
      if (blank && !line && out && t.kind !== "punct") out += "\n";
      if (line && !/[\s([]$/.test(line) && !line.endsWith("...")) line += " ";
      if (t.text === "on" && line.endsWith("...")) line += " ";
      line += t.text;
    }
    blank = false;
    previous = t;
  }
  flush();
  return out.trimEnd().replace(/\n{3,}/g, "\n\n") + "\n";
}

/** Returns the operations of a document: {kind, name, from, to}. */
function operations(text) {
  const found = [];
  let depth = 0, open = null;
  for (const t of tokens(text)) {
    if (t.kind === "space" || t.kind === "comment") continue;
    if (depth === 0 && !open && t.text !== "}") open = { kind: t.text === "{" ? "query" : t.text, name: "", from: t.at };
    else if (depth === 0 && open && !open.name && t.kind === "name") open.name = t.text;
    if (/^[{(]$/.test(t.text)) depth++;
    if (/^[})]$/.test(t.text)) depth = Math.max(0, depth - 1);
    if (t.text === "}" && depth === 0 && open) {
      if (open.kind !== "fragment") found.push(Object.assign(open, { to: t.at + 1 }));
      open = null;
    }
  }
  return found;
}

Object.assign(playground, { colorGraphQL, colorJSON, escape, last, operations, prettify, tokens });
})();
