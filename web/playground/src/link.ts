import type { Query } from './tabs'
import { variablesOf } from './variables'

/**
 * Reads a query from a URL fragment (#query=…&variables=…). `linkTo` creates such URLs, and the server redirects browsers that open
 * /graphql to one. Browsers do not send the fragment.
 */
export function fromLink(fragment: string): Query | null {
  const parts = new URLSearchParams(fragment.replace(/^#/, '').replaceAll('+', '%2B'))
  const query = parts.get('query')
  if (!query) return null
  const variables = variablesOf(parts.get('variables') ?? '')
  return variables ? { query, variables } : { query }
}

/** Returns a URL that contains the query and its variables, but no headers. */
export function linkTo(page: string, { query, variables }: Query): string {
  const parts = new URLSearchParams({ query })
  if (variables && Object.keys(variables).length > 0) parts.set('variables', JSON.stringify(variables))
  return page.replace(/#.*$/, '') + '#' + parts.toString().replaceAll('+', '%20')
}
