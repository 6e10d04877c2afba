import type { Response } from './types'
import { store } from './store'

/** The pasted token. It is only in memory: the storage, the history and the URL never contain it. */
export const bearer = store('')

/** Returns the token of a pasted text, which may be a whole header; '' if the text cannot be a token. */
export function tokenOf(text: string): string {
  const token = text.trim().replace(/^(authorization:\s*)?bearer\s+/i, '')
  return /^[\x21-\x7e]+$/.test(token) ? token : ''
}

/** Returns the reason why a response to the query `viewer` has no user, or '' if the response has a user or no user is signed in. */
export function problemOf({ body, status }: Pick<Response, 'body' | 'status'>, hasToken: boolean): string {
  if (body?.data?.viewer) return ''
  const errors = body?.errors ?? []
  if (errors.some((e) => e.extensions?.code === 'UNAUTHENTICATED')) {
    return hasToken ? 'Mixcloud does not accept this token.' : 'Mixcloud no longer accepts your session. Please sign in again.'
  }
  if (errors[0]) return `The signed-in user could not be read: ${errors[0].message}`
  if (!body) return `The signed-in user could not be read: the server responded with status ${status}.`
  return hasToken ? 'This token belongs to no user.' : ''
}
