import type { Fetcher, FetcherOpts, FetcherParams, Observable } from '@graphiql/toolkit'
import { parse as parseDocument, type DocumentNode } from 'graphql'
import { send, type Body, type Cost, type Operation, type Response } from './api'
import { named, operationOf } from './document'
import { options } from './options'
import { store } from './store'
import { subscribe } from './subscriptions/subscribe'
import { files, upload } from './uploads/upload'

/** The latest operation that the user ran, and its response. */
export interface Result {
  operation: Operation
  response: Response
  cost?: Cost
  trace?: unknown
}

export const result = store<Result | null>(null)

/** Removes the extensions that the page requested, so that the editor shows the response that the user's client would receive. */
function withoutExtras(body: Body): Body {
  if (!body.extensions) return body
  const { cost: _cost, trace: _trace, ...rest } = body.extensions
  const { extensions: _extensions, ...shown } = body
  return Object.keys(rest).length > 0 ? { ...shown, extensions: rest } : shown
}

/** Executes an operation of the user, and calls `next` for each result to show. */
async function execute(operation: Operation, headers: Record<string, string>, signal: AbortSignal, next: (shown: unknown) => void): Promise<void> {
  let document: DocumentNode | undefined
  try {
    document = parseDocument(operation.query)
    const { operationName, ...rest } = operation
    operation = { ...rest, ...named(document, operationName) }
  } catch {
    // the server's response contains the error
  }
  if (document && operationOf(document, operation.operationName)?.operation === 'subscription') {
    await subscribe(operation, headers, signal, next)
    return
  }
  const more: Record<string, string> = { 'X-GraphQL-Cost': 'true', ...headers }
  if (options.trace) more['X-GraphQL-Trace'] = 'true'
  const chosen = files.get()
  const response = document && chosen.size > 0 ? await upload(operation, document, chosen, more, signal) : await send(operation, more, signal)
  const { cost, trace } = response.body?.extensions ?? {}
  result.set({ operation, response, ...(cost && { cost }), ...(trace !== undefined && { trace }) })
  next(response.body ? withoutExtras(response.body) : { errors: [{ message: response.text || `The server responded with status ${response.status}.` }] })
}

/** The observable that GraphiQL subscribes to. Its stop button unsubscribes, which aborts the request. */
function observable(run: (signal: AbortSignal, next: (shown: unknown) => void) => Promise<void>): Observable<unknown> {
  return {
    subscribe(observer: { next(value: unknown): void; error(error: unknown): void; complete(): void }) {
      const abort = new AbortController()
      run(abort.signal, (shown) => observer.next(shown)).then(
        () => observer.complete(),
        (error: unknown) => (abort.signal.aborted ? observer.complete() : observer.error(error)),
      )
      return { unsubscribe: () => abort.abort() }
    },
  } as Observable<unknown>
}

/** The fetcher of GraphiQL, which sends the introspection query and the user's operations. */
export const fetcher = ((params: FetcherParams, more?: FetcherOpts) => {
  const headers = (more?.headers ?? {}) as Record<string, string>
  const operation: Operation = {
    query: params.query,
    ...(params.operationName && { operationName: params.operationName }),
    variables: params.variables as Record<string, unknown> | null,
  }
  if (params.operationName === 'IntrospectionQuery') return send(operation, headers).then(({ body }) => body)
  return observable((signal, next) => execute(operation, headers, signal, next))
}) as Fetcher
