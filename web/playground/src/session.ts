import { bearer, problemOf, tokenOf } from './account'
import { send } from './api'
import { options } from './options'
import { store } from './store'

/** The user whose token a request carries. */
export interface Viewer {
  name: string
  username: string
  picture: { url: string } | null
}

/** The signed-in user: null if the user is anonymous, undefined until the server has responded. */
export const viewer = store<Viewer | null | undefined>(undefined)

/** The message that the last sign-in or sign-out failed; '' if it did not. */
export const problem = store('')

const query = 'query Viewer { viewer { name username picture(size: THUMBNAIL) { url } } }'
const unreachable = 'The server cannot be reached.'

/** Requests the viewer from the server. Removes a pasted token that belongs to no user. */
export async function refresh(): Promise<void> {
  const token = bearer.get()
  if (!options.signIn && !token) {
    viewer.set(null)
    return
  }
  try {
    const response = await send({ query })
    if (bearer.get() !== token) return // a newer request is in flight
    problem.set(problemOf(response, token !== ''))
    viewer.set((response.body?.data?.viewer as Viewer | null | undefined) ?? null)
    if (!token && response.body?.errors?.some((e) => e.extensions?.code === 'UNAUTHENTICATED')) await endSession() // removes the cookie
  } catch {
    problem.set(unreachable)
    viewer.set(null)
  }
  if (!viewer.get()) bearer.set('')
}

/** Uses a pasted token for all further requests, if the token belongs to a user. */
export async function use(pasted: string): Promise<void> {
  const token = tokenOf(pasted)
  if (!token) {
    problem.set('This is not a valid token: it is empty or has invalid characters.')
    return
  }
  problem.set('')
  bearer.set(token)
  await refresh()
}

const endSession = () => fetch('/oauth/logout', { method: 'POST', credentials: 'same-origin', redirect: 'manual', headers: { 'X-Requested-With': 'playground' } })

/** Removes the pasted token. If there is none, ends the session of the cookie. */
export async function signOut(): Promise<void> {
  problem.set('')
  if (bearer.get()) {
    bearer.set('')
    viewer.set(null)
    await refresh() // the cookie may belong to a signed-in user
    return
  }
  try {
    const { ok, type } = await endSession()
    if (ok || type === 'opaqueredirect') viewer.set(null)
    else problem.set('You are still signed in: the server did not end the session.')
  } catch {
    problem.set(`You are still signed in: ${unreachable.replace(/^T/, 't')}`)
  }
}
