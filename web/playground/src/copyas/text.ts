/** Returns JSON on one line. Escapes characters that are special within a shell's single quotes or on a terminal. */
export function shellJSON(value: unknown): string {
  return JSON.stringify(value).replace(/['\u007f-\u009f\u2028\u2029]/g, unicodeEscape)
}

const unicodeEscape = (c: string) => '\\u' + c.charCodeAt(0).toString(16).padStart(4, '0')

/** Quotes a text for bash and zsh. */
export const shellQuote = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`

/** Returns a text as a template literal of JavaScript. */
export function jsTemplate(text: string): string {
  return '`' + text.replace(/\\|`|\$\{/g, String.raw`\$&`).replaceAll('\r', String.raw`\r`) + '`'
}

/** A variable's name in JavaScript, which `jsValue` writes without quotes. */
export class Identifier {
  constructor(readonly name: string) {}
}

/** Returns a JSON value as JavaScript, indented by two spaces for each level. */
export function jsValue(value: unknown, level = 0): string {
  if (value instanceof Identifier) return value.name
  const empty = value === null || typeof value !== 'object' || Object.keys(value).length === 0
  if (empty) return jsScalar(value)
  const inner = '\n' + '  '.repeat(level + 1)
  const end = '\n' + '  '.repeat(level)
  if (Array.isArray(value)) {
    if (value.every((member) => member === null || typeof member !== 'object')) return `[${value.map((member) => jsValue(member)).join(', ')}]`
    return `[${value.map((member) => inner + jsValue(member, level + 1)).join(',')}${end}]`
  }
  return `{${Object.entries(value).map(([key, member]) => `${inner}${jsKey(key)}: ${jsValue(member, level + 1)}`).join(',')},${end}}`
}

function jsScalar(value: unknown): string {
  if (typeof value !== 'string') return JSON.stringify(value)
  const text = JSON.stringify(value)
  return text.slice(1, -1).replaceAll('\\"', '"') === value && !value.includes("'") ? `'${value}'` : text
}

/** Returns the key of an object's property. Without brackets, "__proto__" would set the prototype. */
function jsKey(key: string): string {
  if (key === '__proto__') return `['__proto__']`
  return /^[A-Za-z_$][\w$]*$/.test(key) ? key : jsScalar(key)
}

/** Returns a text as a string literal of Go, if possible a raw one. */
export function goString(text: string): string {
  const wellFormed = text.replace(/[\ud800-\udfff]/gu, '\ufffd') // with the flag u, this matches only lone surrogates
  if (!/[`\r\ufeff\u0000]/.test(wellFormed)) return '`' + wellFormed + '`'
  return JSON.stringify(wellFormed).replaceAll('\ufeff', String.raw`\ufeff`)
}
