/** extensions.trace: see docs/costs.md. Times are in milliseconds since the start of the operation. */
export interface Trace {
  durationMs: number
  fields: TracedField[]
  calls: TracedCall[]
  omittedFields?: number
  omittedCalls?: number
}

export interface TracedField {
  path: (string | number)[]
  startMs: number
  durationMs: number
}

export interface TracedCall {
  method: string
  path: string
  parameters?: string[]
  outcome: string
  startMs: number
  waitMs: number
  durationMs: number
  status?: number
  failed?: boolean
}

/** Returns the trace in a response, or null if there is none. */
export function traceOf(value: unknown): Trace | null {
  const trace = value as Trace | undefined
  return trace && Array.isArray(trace.calls) && Array.isArray(trace.fields) ? trace : null
}

const end = (span: { startMs: number; durationMs: number }) => span.startMs + span.durationMs

/** In milliseconds. Shorter calls are cache hits, which are not a part of the critical path. */
const shortest = 0.01

/**
 * Returns the critical path: the call that ends last, then repeatedly the call of the same root field that ended last before that
 * call started.
 */
export function criticalPath({ calls, fields }: Pick<Trace, 'calls' | 'fields'>): Set<TracedCall> {
  const path = new Set<TracedCall>()
  let limit = Infinity
  let root: string | number | undefined
  for (;;) {
    let last: TracedCall | undefined
    for (const call of calls) {
      if (call.durationMs < shortest || end(call) > limit + shortest || path.has(call)) continue
      if (root !== undefined && fieldOf(call, fields)?.path[0] !== root) continue
      if (!last || end(call) > end(last)) last = call
    }
    if (!last) return path
    path.add(last)
    limit = last.startMs
    root = fieldOf(last, fields)?.path[0]
  }
}

/** Returns the field that a call most likely belongs to: the shortest field that runs during the whole call. */
export function fieldOf(call: TracedCall, fields: TracedField[]): TracedField | undefined {
  const around = fields.filter((field) => field.startMs <= call.startMs + shortest && end(field) + shortest >= end(call))
  return around.sort((a, b) => a.durationMs - b.durationMs || b.path.length - a.path.length)[0]
}
