import type { Query } from './tabs'
import { variablesOf } from './variables'

/**
 * Reads a query from the fragment of an address: #query=…&variables=…, as `linkTo` writes it and as the server redirects a
 * browser that opens /graphql. The fragment is not sent to any server.
 */
export function fromLink(fragment: string): Query | null {
  const parts = new URLSearchParams(fragment.replace(/^#/, '').replaceAll('+', '%2B'))
  const query = parts.get('query')
  if (!query) return null
  const variables = variablesOf(parts.get('variables') ?? '')
  return variables ? { query, variables } : { query }
}

/** Returns the address of a query. It contains the query and its variables, never a header. */
export function linkTo(page: string, { query, variables }: Query): string {
  const parts = new URLSearchParams({ query })
  if (variables && Object.keys(variables).length > 0) parts.set('variables', JSON.stringify(variables))
  return page.replace(/#.*$/, '') + '#' + parts.toString().replaceAll('+', '%20')
}
