import type { Query } from '../tabs'

/** An operation of the gallery: internal/playground.Example. */
export interface Example {
  title: string
  description?: string
  group: string
  kind: 'query' | 'mutation' | 'subscription'
  query: string
  variables?: Record<string, unknown>
  /** The names of the variables that are files. */
  files?: string[]
  /** Whether the operation needs a viewer. */
  token?: boolean
}

/** The server's base URL in the examples. */
const address = 'http://127.0.0.1:8080'

async function load(): Promise<Example[]> {
  try {
    const response = await fetch('/playground/examples.json')
    return response.ok ? ((await response.json()) as Example[]) : []
  } catch {
    return [] // the page works without a gallery
  }
}

/** The examples. They are loaded once, while the page loads. */
export const examples = load()

/** Returns the query of an example, to open in a tab. Replaces the server's base URL by the given origin. */
export function queryOf({ query, variables }: Example, origin: string): Query {
  if (!variables) return { query }
  return { query, variables: JSON.parse(JSON.stringify(variables).replaceAll(address, origin)) as Record<string, unknown> }
}

/** Returns the groups in their order, with the examples that contain all words of a text. */
export function groupsOf(all: readonly Example[], text: string): [group: string, examples: Example[]][] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean)
  const groups = new Map<string, Example[]>()
  for (const example of all) {
    const searched = `${example.group} ${example.title} ${example.description ?? ''} ${example.query}`.toLowerCase()
    if (!words.every((word) => searched.includes(word))) continue
    groups.set(example.group, [...(groups.get(example.group) ?? []), example])
  }
  return [...groups]
}
