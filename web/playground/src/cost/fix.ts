import { Kind, parse, type DocumentNode, type FieldNode, type SelectionSetNode } from 'graphql'
import { operationOf } from '../document'

/** extensions.fits of a refusal, and extensions.cost.fits of an estimate: which argument to reduce, and to which size. */
export interface Fits {
  path: string
  paths?: string[]
  argument: string
  size: number
  variable?: string
}

export interface Edited {
  query: string
  variables: Record<string, unknown>
}

/** A replacement of the part of the query between two offsets. */
interface Edit {
  start: number
  end: number
  text: string
}

/**
 * Applies the suggested page size: sets the variable, or writes the argument into the query. The rest of the query does not change.
 * Returns null if the query no longer contains the field.
 */
export function applyFits(query: string, variables: Record<string, unknown>, operationName: string | undefined, fits: Fits): Edited | null {
  if (fits.variable) return { query, variables: { ...variables, [fits.variable]: fits.size } }
  const document = parse(query)
  const operation = operationOf(document, operationName)
  if (!operation) return null
  const edits: Edit[] = []
  for (const path of fits.paths ?? [fits.path]) {
    const fields = fieldsAt(document, operation.selectionSet, path.split('.'))
    if (fields.length === 0) return null
    for (const field of fields) edits.push(editOf(field, fits))
  }
  const unique = new Map(edits.map((edit) => [edit.start, edit]))
  let text = query
  for (const edit of [...unique.values()].sort((a, b) => b.start - a.start)) text = text.slice(0, edit.start) + edit.text + text.slice(edit.end)
  return { query: text, variables }
}

/** Returns the fields at a path of response keys, including those in fragments. */
function fieldsAt(document: DocumentNode, selections: SelectionSetNode, [key, ...rest]: string[]): FieldNode[] {
  const found: FieldNode[] = []
  for (const selection of selections.selections) {
    switch (selection.kind) {
      case Kind.FIELD:
        if ((selection.alias ?? selection.name).value !== key) break
        if (rest.length === 0) found.push(selection)
        else if (selection.selectionSet) found.push(...fieldsAt(document, selection.selectionSet, rest))
        break
      case Kind.INLINE_FRAGMENT:
        found.push(...fieldsAt(document, selection.selectionSet, [key ?? '', ...rest]))
        break
      case Kind.FRAGMENT_SPREAD: {
        const fragment = document.definitions.find((d) => d.kind === Kind.FRAGMENT_DEFINITION && d.name.value === selection.name.value)
        if (fragment?.kind === Kind.FRAGMENT_DEFINITION) found.push(...fieldsAt(document, fragment.selectionSet, [key ?? '', ...rest]))
      }
    }
  }
  return found
}

function editOf(field: FieldNode, { argument, size }: Fits): Edit {
  const existing = field.arguments?.find((a) => a.name.value === argument)
  if (existing?.value.loc) return { start: existing.value.loc.start, end: existing.value.loc.end, text: String(size) }
  const last = field.arguments?.at(-1)
  if (last?.loc) return { start: last.loc.end, end: last.loc.end, text: `, ${argument}: ${size}` }
  const end = field.name.loc?.end ?? 0
  return { start: end, end, text: `(${argument}: ${size})` }
}

/** Describes the suggested change, such as `first of popular to 66`. */
export function describe(fits: Fits): string {
  return fits.variable ? `$${fits.variable} to ${fits.size}` : `${argumentOf(fits)} to ${fits.size}`
}

const argumentOf = (fits: Fits) => `${fits.argument} of ${(fits.paths ?? [fits.path]).join(' and ')}`
