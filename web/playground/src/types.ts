/** The JSON body of a request. */
export interface Operation {
  query: string
  operationName?: string | null
  variables?: Record<string, unknown> | null
}

export interface GraphQLError {
  message: string
  path?: (string | number)[]
  locations?: { line: number; column: number }[]
  extensions?: Record<string, unknown>
}

/** extensions.cost: see docs/costs.md. */
export interface Cost {
  estimated: number
  budget: number
  upstreamCalls: number
  cacheHits: number
  coalesced: number
  stale: number
}

export interface Body {
  data?: Record<string, unknown> | null
  errors?: GraphQLError[]
  extensions?: { cost?: Cost; trace?: unknown; freshness?: unknown } & Record<string, unknown>
}

/** A response. `body` is null if it is not JSON. */
export interface Response {
  body: Body | null
  text: string
  status: number
  milliseconds: number
  requestId: string | null
}
