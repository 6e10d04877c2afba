import { options } from './options'
import { store } from './store'

/** The user whose token a request carries. */
export interface Viewer {
  name: string
  username: string
  picture: { url: string } | null
}

/** A pasted token. It is in memory only: in no storage, history or address. */
export const bearer = store('')

/** The signed-in user: null for an anonymous one, undefined while it is not known. */
export const viewer = store<Viewer | null | undefined>(undefined)

const query = 'query Viewer { viewer { name username picture(size: THUMBNAIL) { url } } }'

/** Asks the server who the requests of this page belong to. Returns a problem, or ''. */
export async function refresh(): Promise<string> {
  if (!options.signIn && !bearer.get()) {
    viewer.set(null)
    return ''
  }
  const { send } = await import('./api')
  const { body } = await send({ query })
  const refused = body?.errors?.some((e) => e.extensions?.code === 'UNAUTHENTICATED')
  viewer.set((body?.data?.viewer as Viewer | null | undefined) ?? null)
  if (!refused) return ''
  if (bearer.get()) return 'Mixcloud does not accept this token.'
  await signOut() // the cookie's token was revoked
  return ''
}

export async function signOut(): Promise<void> {
  if (bearer.get()) bearer.set('')
  else await fetch('/oauth/logout', { method: 'POST', credentials: 'same-origin', redirect: 'manual', headers: { 'X-Requested-With': 'playground' } })
  viewer.set(null)
}
