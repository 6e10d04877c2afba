// Completion: the names that the schema allows at the cursor.
(() => {
"use strict";
const { baseName, last, tokens, typeText } = playground;

/** Returns the completions at the cursor, {from, to, items: [{text, note, about}]}, or null if there are none. */
function candidates(schema, text, at) {
  const before = tokens(text.slice(0, at));
  const end = last(before) || { kind: "", text: "" };
  if (end.kind === "comment" || end.kind === "string") return null;
  const partial = /^(name|variable|directive)$/.test(end.kind) ? end.text : "";
  const seen = (partial ? before.slice(0, -1) : before).filter((t) => t.kind !== "space" && t.kind !== "comment");
  const items = list(schema, text, seen, partial).filter((i) => i.text.toLowerCase().includes(partial.toLowerCase()) && i.text !== partial);
  items.sort((a, b) => starts(b, partial) - starts(a, partial) || (partial ? a.text.length - b.text.length : 0));
  return items.length ? { from: at - partial.length, to: at, items: items.slice(0, 40) } : null;
}

const starts = (item, partial) => Number(item.text.toLowerCase().startsWith(partial.toLowerCase()));

// named returns the item with a name, or null.
const named = (items, name) => (items || []).find((item) => item.name === name) || null;

// list returns the names that are allowed at the cursor. It tracks the enclosing types on a stack.
function list(schema, text, seen, partial) {
  const stack = []; // {type} in a selection, {args} in arguments, {input} in an input object
  let head = null, field = null, arg = null, declaring = false;
  for (const [i, t] of seen.entries()) {
    const top = last(stack), previous = i > 0 ? seen[i - 1].text : undefined;
    if (t.text === "{") {
      if (!top) stack.push({ type: root(schema, head) });
      else if (top.type && !arg) stack.push({ type: field && schema.types.get(baseName(field.type)) });
      else stack.push({ input: arg && schema.types.get(baseName(arg.type)) });
      if (!top || top.type) field = null;
      head = null;
      arg = null;
    } else if (t.text === "(") {
      declaring = !top;
      stack.push({ args: top ? (field && field.args) || [] : null });
    } else if (t.text === "}" || t.text === ")") {
      stack.pop();
      arg = null;
      if (t.text === ")" ) declaring = false;
      if (t.text === "}" && stack.length && last(stack).type) field = null;
    } else if (t.kind === "name") {
      if (!top) head = [...(head || []), t.text];
      else if (previous === "on" && top.type) field = { type: { name: t.text }, args: [] };
      else if (top.type && previous !== "...") field = named(top.type.fields, t.text);
      else if (top.args && previous !== ":") arg = named(top.args, t.text);
      else if (top.input && previous !== ":") arg = named(top.input.inputFields, t.text);
    } else if (t.kind === "spread") field = null;
  }
  const top = last(stack), previous = seen.length ? last(seen).text : undefined;
  const types = (want) => [...schema.types.values()].filter((t) => want.includes(t.kind) && !t.name.startsWith("__")).map((t) => ({ text: t.name, note: "", about: t.description }));
  if (partial.startsWith("@")) return schema.directives.map((d) => ({ text: "@" + d.name, note: "", about: d.description }));
  if (previous === "on") return types(["OBJECT", "INTERFACE", "UNION"]);
  if (!top) return previous === undefined || previous === "}" ? ["query", "mutation", "fragment"].map((text) => ({ text, note: "" })) : [];
  if (previous === ":" || previous === "[" ) {
    if (declaring) return types(["SCALAR", "ENUM", "INPUT_OBJECT"]);
    const type = arg && schema.types.get(baseName(arg.type));
    const variables = [...new Set(text.match(/\$[_A-Za-z]\w*/g) || [])].map((v) => ({ text: v, note: "variable" }));
    const values = ((type && type.enumValues) || []).map((v) => ({ text: v.name, note: type.name, about: v.description }));
    const flags = type && type.name === "Boolean" ? ["true", "false"].map((v) => ({ text: v, note: "Boolean" })) : [];
    return top.args || top.input ? [...variables, ...values, ...flags] : [];
  }
  if (top.type) {
    const fields = (top.type.fields || []).map((f) => ({ text: f.name, note: typeText(f.type), about: f.description }));
    if (previous === "...") return [{ text: "on", note: "" }];
    return [...fields, { text: "__typename", note: "String!" }];
  }
  return (top.args || (top.input && top.input.inputFields) || []).map((a) => ({ text: a.name, after: ": ", note: typeText(a.type), about: a.description }));
}

function root(schema, head) {
  const kind = head ? head[0] : "query";
  if (kind === "fragment") return schema.types.get(head[3]) || schema.types.get(last(head));
  return schema.types.get(schema.roots[kind]);
}

/** The completion list below the cursor. The arrow keys, Enter, Tab and Escape control it. */
class Completer {
  constructor(editor, box, schema) {
    Object.assign(this, { editor, box, schema, items: [], selected: 0, completion: null });
    editor.area.setAttribute("aria-controls", box.id);
    editor.area.setAttribute("aria-autocomplete", "list");
    editor.area.addEventListener("input", (e) => this.update(e));
    editor.area.addEventListener("keydown", (e) => this.key(e), true);
    editor.area.addEventListener("blur", () => this.hide());
    editor.area.addEventListener("click", () => this.hide());
    editor.area.addEventListener("scroll", () => this.hide());
    box.addEventListener("mousedown", (e) => {
      e.preventDefault();
      const li = e.target.closest("li");
      if (li) this.accept(Number(li.dataset.i));
    });
  }

  update(e) {
    if ((e.inputType || "").startsWith("history") || e.inputType === "insertFromPaste") return this.hide();
    const { selectionStart: at, value } = this.editor.area;
    if (!/[\w$@]/.test(value.charAt(at - 1))) return this.hide();
    this.open();
  }

  open() {
    const { selectionStart: at, value } = this.editor.area;
    this.completion = candidates(this.schema, value, at);
    if (!this.completion) return this.hide();
    this.selected = 0;
    this.box.hidden = false;
    this.draw();
    this.move(this.completion.from);
  }

  draw() {
    this.box.textContent = "";
    this.box.append(...this.completion.items.map((item, i) => {
      const li = document.createElement("li");
      li.id = "complete-" + i;
      li.dataset.i = i;
      li.setAttribute("role", "option");
      li.setAttribute("aria-selected", String(i === this.selected));
      li.title = item.about || "";
      li.append(item.text);
      const note = document.createElement("small");
      note.textContent = item.note;
      li.append(note);
      return li;
    }));
    this.editor.area.setAttribute("aria-activedescendant", "complete-" + this.selected);
    this.box.children[this.selected].scrollIntoView({ block: "nearest" });
  }

  // move places the list below the character at an offset. The font is monospaced.
  move(at) {
    const { area } = this.editor;
    const style = getComputedStyle(area);
    const before = area.value.slice(0, at).split("\n");
    const ruler = document.createElement("canvas").getContext("2d");
    ruler.font = `${style.fontSize} ${style.fontFamily}`;
    const x = parseFloat(style.paddingLeft) + ruler.measureText(last(before)).width - area.scrollLeft;
    const y = parseFloat(style.paddingTop) + before.length * parseFloat(style.lineHeight) - area.scrollTop;
    const low = y + this.box.offsetHeight > area.clientHeight && y - this.box.offsetHeight > 30;
    this.box.style.left = `${Math.max(0, Math.min(x - 8, area.clientWidth - this.box.offsetWidth - 8))}px`;
    this.box.style.top = `${low ? y - this.box.offsetHeight - parseFloat(style.lineHeight) - 4 : y + 4}px`;
  }

  hide() {
    this.box.hidden = true;
    this.editor.area.removeAttribute("aria-activedescendant");
  }

  accept(i) {
    const { from, to, items } = this.completion;
    this.hide();
    this.editor.area.setSelectionRange(from, to);
    this.editor.insert(items[i].text + (items[i].after || ""));
    this.hide();
  }

  key(e) {
    if (e.key === " " && e.ctrlKey) {
      e.preventDefault();
      this.open();
      return;
    }
    if (this.box.hidden || e.ctrlKey || e.metaKey || e.altKey) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[e.key];
    if (step) {
      this.selected = (this.selected + step + this.completion.items.length) % this.completion.items.length;
      this.draw();
    } else if (e.key === "Enter" || e.key === "Tab") this.accept(this.selected);
    else if (e.key === "Escape") this.hide();
    else if (e.key === "ArrowLeft" || e.key === "ArrowRight") return this.hide();
    else return;
    e.preventDefault();
    e.stopPropagation();
  }
}

playground.Completer = Completer;
})();
