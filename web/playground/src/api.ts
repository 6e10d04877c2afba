import { bearer } from './account'
import { options } from './options'
import type { Body, Operation, Response } from './types'

export type * from './types'

/**
 * Headers of each request. The server accepts the session cookie only with X-Requested-With, which pages of other sites cannot
 * send. A pasted token takes precedence over the cookie.
 */
export function headers(more: Record<string, string> = {}): Record<string, string> {
  const all: Record<string, string> = { 'X-Requested-With': 'playground', ...more }
  const token = bearer.get()
  if (token && !Object.keys(all).some((name) => name.toLowerCase() === 'authorization')) all.Authorization = 'Bearer ' + token
  return all
}

export const credentials = (): RequestCredentials => (options.signIn ? 'same-origin' : 'omit')

/** Sends an operation and reads the whole response. */
export async function send(operation: Operation, more: Record<string, string> = {}, signal?: AbortSignal): Promise<Response> {
  const start = performance.now()
  const response = await fetch('/graphql', {
    method: 'POST',
    headers: headers({ 'Content-Type': 'application/json', Accept: 'application/graphql-response+json, application/json;q=0.9', ...more }),
    body: JSON.stringify(operation),
    credentials: credentials(),
    cache: 'no-store',
    signal: signal ?? null,
  })
  const text = await response.text()
  return { body: parse(text), text, status: response.status, milliseconds: performance.now() - start, requestId: response.headers.get('X-Request-Id') }
}

export function parse(text: string): Body | null {
  try {
    return JSON.parse(text) as Body
  } catch {
    return null
  }
}
