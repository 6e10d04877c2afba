import { Kind, type DocumentNode, type SelectionSetNode } from 'graphql'
import { operationOf } from '../document'

/** The offsets of the start and the end of a part of a text. */
export interface Span {
  start: number
  end: number
}

/** Returns the position in the query of the field at a path of the response. Ignores the indices in the path. */
export function inQuery(document: DocumentNode, operationName: string | null | undefined, path: (string | number)[]): Span | null {
  const operation = operationOf(document, operationName)
  const keys = path.filter((key): key is string => typeof key === 'string')
  return operation ? find(document, operation.selectionSet, keys) : null
}

function find(document: DocumentNode, { selections }: SelectionSetNode, keys: string[]): Span | null {
  const [key, ...rest] = keys
  for (const selection of selections) {
    let found: Span | null = null
    if (selection.kind === Kind.FIELD) {
      if ((selection.alias ?? selection.name).value !== key) continue
      if (rest.length === 0) return selection.loc ? { start: selection.loc.start, end: selection.name.loc?.end ?? selection.loc.end } : null
      found = selection.selectionSet ? find(document, selection.selectionSet, rest) : null
    } else if (selection.kind === Kind.INLINE_FRAGMENT) {
      found = find(document, selection.selectionSet, keys)
    } else {
      const fragment = document.definitions.find((d) => d.kind === Kind.FRAGMENT_DEFINITION && d.name.value === selection.name.value)
      found = fragment?.kind === Kind.FRAGMENT_DEFINITION ? find(document, fragment.selectionSet, keys) : null
    }
    if (found) return found
  }
  return null
}

/** Returns the position in a JSON text of the value at a path: of the member's name, or of the start of the array element. */
export function inJSON(text: string, path: (string | number)[]): Span | null {
  const token = /"(?:[^"\\]|\\.)*"|[[\]{},:]|[^\s[\]{},:"]+/g
  const stack: { key: string | number; isArray: boolean }[] = []
  let expectsKey = false
  let match: RegExpExecArray | null
  const here = () => stack.length === path.length && stack.every(({ key }, i) => key === path[i])
  while ((match = token.exec(text))) {
    const top = stack.at(-1)
    switch (match[0]) {
      case '{':
      case '[':
        stack.push({ key: match[0] === '[' ? 0 : '', isArray: match[0] === '[' })
        expectsKey = match[0] === '{'
        if (match[0] === '[' && here() && text[token.lastIndex] !== ']') return { start: token.lastIndex, end: token.lastIndex + 1 }
        break
      case '}':
      case ']':
        stack.pop()
        expectsKey = false
        break
      case ',':
        if (top?.isArray) top.key = Number(top.key) + 1
        expectsKey = !top?.isArray
        if (top?.isArray && here()) return { start: token.lastIndex, end: token.lastIndex + 1 }
        break
      case ':':
        expectsKey = false
        break
      default:
        if (!expectsKey || !top) break
        top.key = JSON.parse(match[0]) as string
        if (here()) return { start: match.index, end: token.lastIndex }
    }
  }
  return null
}
