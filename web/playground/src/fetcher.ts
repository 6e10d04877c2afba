import type { Fetcher, FetcherParams } from '@graphiql/toolkit'
import { send, type Body, type Cost, type Operation, type Response } from './api'
import { options } from './options'
import { store } from './store'

/** The latest operation that the user ran, and its response. */
export interface Result {
  operation: Operation
  response: Response
  cost?: Cost
  trace?: unknown
}

export const result = store<Result | null>(null)

/** Removes what the page asked for in addition from a response, so that the editor shows what the user's own client would get. */
function withoutExtras(body: Body): Body {
  if (!body.extensions) return body
  const { cost: _cost, trace: _trace, ...rest } = body.extensions
  const { extensions: _extensions, ...shown } = body
  return Object.keys(rest).length > 0 ? { ...shown, extensions: rest } : shown
}

async function execute(operation: Operation, headers: Record<string, string>): Promise<unknown> {
  const more: Record<string, string> = { 'X-GraphQL-Cost': 'true', ...headers }
  if (options.trace) more['X-GraphQL-Trace'] = 'true'
  const response = await send(operation, more)
  const { cost, trace } = response.body?.extensions ?? {}
  result.set({ operation, response, ...(cost && { cost }), ...(trace !== undefined && { trace }) })
  return response.body ? withoutExtras(response.body) : response.text
}

/** Sends what GraphiQL executes: its introspection, and the user's operations. */
export const fetcher: Fetcher = (async (params: FetcherParams, more?: { headers?: Record<string, string> }) => {
  const operation: Operation = { query: params.query, operationName: params.operationName, variables: params.variables as Operation['variables'] }
  if (params.operationName === 'IntrospectionQuery') return (await send(operation, more?.headers)).body
  return execute(operation, more?.headers ?? {})
}) as Fetcher
