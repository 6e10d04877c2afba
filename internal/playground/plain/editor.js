// A textarea with indentation, closing brackets and syntax highlighting. A <pre> behind it
// shows the same text in color, at the same scroll position.
(() => {
"use strict";

const CLOSE = { "{": "}", "(": ")", "[": "]" };

class Editor {
  /** onChange runs after each change; onRun on Ctrl+Enter. */
  constructor(box, color, { onChange = () => {}, onRun = () => {} } = {}) {
    this.area = box.querySelector("textarea");
    this.highlight = box.querySelector("pre");
    this.color = color;
    this.onChange = onChange;
    this.onRun = onRun;
    this.tabMoves = false; // Escape was pressed, so the next Tab moves the focus
    this.area.addEventListener("input", () => this.changed());
    this.area.addEventListener("scroll", () => this.scroll());
    this.area.addEventListener("keydown", (e) => this.key(e));
    this.area.addEventListener("blur", () => { this.tabMoves = false; });
    this.draw();
  }

  get text() { return this.area.value; }

  set text(text) {
    this.area.value = text;
    this.area.setSelectionRange(0, 0);
    this.area.scrollTop = this.area.scrollLeft = 0;
    this.changed();
  }

  /** Replaces the whole text as an edit that can be undone. */
  replace(text) {
    this.area.focus();
    this.area.setSelectionRange(0, this.area.value.length);
    this.insert(text);
    this.area.setSelectionRange(0, 0);
    this.area.scrollTop = 0;
  }

  /** Replaces the selection by text, as an edit that can be undone. */
  insert(text) {
    if (!document.execCommand("insertText", false, text)) {
      this.area.setRangeText(text, this.area.selectionStart, this.area.selectionEnd, "end");
      this.changed();
    }
  }

  changed() {
    this.draw();
    this.onChange(this.area.value);
  }

  draw() {
    this.highlight.innerHTML = this.color(this.area.value) + "\n";
    this.scroll();
  }

  scroll() {
    this.highlight.scrollTop = this.area.scrollTop;
    this.highlight.scrollLeft = this.area.scrollLeft;
  }

  key(e) {
    if (e.defaultPrevented) return;
    const { selectionStart: from, selectionEnd: to, value } = this.area;
    const before = value[from - 1], after = value[to];
    if (e.key === "Enter" && (e.ctrlKey || e.metaKey)) {
      e.preventDefault();
      this.onRun();
    } else if (e.key === "Escape") {
      this.tabMoves = true;
      return;
    } else if (e.key === "Tab" && !this.tabMoves && !e.ctrlKey && !e.altKey && !e.metaKey) {
      e.preventDefault();
      this.indent(e.shiftKey);
    } else if (e.key === "/" && (e.ctrlKey || e.metaKey)) {
      e.preventDefault();
      this.comment();
    } else if (e.key === "Enter" && from === to) {
      e.preventDefault();
      const start = value.lastIndexOf("\n", from - 1) + 1;
      const indent = /^[ \t]*/.exec(value.slice(start, from))[0];
      if (CLOSE[before]) {
        const tail = after === CLOSE[before] ? "\n" + indent : "";
        this.insert("\n" + indent + "  " + tail);
        this.area.setSelectionRange(from + indent.length + 3, from + indent.length + 3);
      } else this.insert("\n" + indent);
    } else if (CLOSE[e.key] && from === to && (after === undefined || /[\s)}\]]/.test(after))) {
      e.preventDefault();
      this.insert(e.key + CLOSE[e.key]);
      this.area.setSelectionRange(from + 1, from + 1);
    } else if (Object.values(CLOSE).includes(e.key) && from === to && after === e.key) {
      e.preventDefault();
      this.area.setSelectionRange(from + 1, from + 1);
    } else if (e.key === "Backspace" && from === to && CLOSE[before] && CLOSE[before] === after) {
      e.preventDefault();
      this.area.setSelectionRange(from - 1, from + 1);
      this.insert("");
      if (this.area.value.length === value.length) document.execCommand("delete");
    }
    this.tabMoves = false;
  }

  /** Changes the selected lines, and leaves them selected. */
  lines(change) {
    const { selectionStart: from, selectionEnd: to, value } = this.area;
    const start = value.lastIndexOf("\n", from - 1) + 1;
    let end = value.indexOf("\n", Math.max(from, to - 1));
    if (end < 0) end = value.length;
    const old = value.slice(start, end).split("\n");
    const replacement = change(old).join("\n");
    this.area.setSelectionRange(start, end);
    this.insert(replacement);
    if (old.length > 1) this.area.setSelectionRange(start, start + replacement.length);
  }

  indent(back) {
    const { selectionStart: from, selectionEnd: to, value } = this.area;
    if (!back && !value.slice(from, to).includes("\n")) this.insert("  ");
    else this.lines((all) => all.map((l) => (back ? l.replace(/^ {1,2}|^\t/, "") : l && "  " + l)));
  }

  comment() {
    this.lines((all) => {
      const off = all.every((l) => /^\s*(#|$)/.test(l));
      return all.map((l) => (off ? l.replace(/^(\s*)# ?/, "$1") : l.trim() ? l.replace(/^(\s*)/, "$1# ") : l));
    });
  }
}

playground.Editor = Editor;
})();
