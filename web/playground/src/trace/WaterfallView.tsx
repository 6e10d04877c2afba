import { useGraphiQL } from '@graphiql/react'
import { parse } from 'graphql'
import { useEffect, useMemo, useRef } from 'react'
import { result } from '../fetcher'
import { options } from '../options'
import { inJSON, inQuery, type Span } from './locate'
import { criticalPath, fieldOf, traceOf, type Trace, type TracedCall, type TracedField } from './model'
import './trace.css'

type Editor = NonNullable<ReturnType<typeof useEditors>[number]>

function useEditors() {
  const query = useGraphiQL((state) => state.queryEditor)
  const response = useGraphiQL((state) => state.responseEditor)
  return [query, response] as const
}

/** The calls and the resolver fields of the latest operation on a time axis. */
export function WaterfallView() {
  const latest = result.use()
  const trace = traceOf(latest?.trace)
  const mark = useMarks()
  if (!options.trace) return <p>This server returns no traces. Start it with --trace=always.</p>
  if (!trace) return <p>Run a query or a mutation to see its calls and resolvers.</p>
  return <Waterfall trace={trace} mark={mark} />
}

/** Returns a function that marks a field in the query and in the response. The marks disappear with the next run. */
function useMarks(): (path: (string | number)[]) => void {
  const latest = result.use()
  const [query, response] = useEditors()
  const marks = useRef<{ clear(): void }[]>([])
  const clear = () => {
    for (const mark of marks.current) mark.clear()
    marks.current = []
  }
  useEffect(() => clear, [latest])
  return (path) => {
    clear()
    if (!latest || !query || !response) return
    try {
      marks.current.push(markIn(query, inQuery(parse(query.getValue()), latest.operation.operationName, path)))
    } catch {
      // the user has edited the query, and it cannot be parsed
    }
    marks.current.push(markIn(response, inJSON(response.getValue(), ['data', ...path])))
  }
}

function markIn(editor: Editor, span: Span | null): { clear(): void } {
  const model = editor.getModel()
  if (!span || !model) return { clear: () => undefined }
  const [start, end] = [model.getPositionAt(span.start), model.getPositionAt(span.end)]
  const range = { startLineNumber: start.lineNumber, startColumn: start.column, endLineNumber: end.lineNumber, endColumn: end.column }
  editor.revealRangeInCenterIfOutsideViewport(range)
  return editor.createDecorationsCollection([{ range, options: { inlineClassName: 'trace-mark' } }])
}

function Waterfall({ trace, mark }: { trace: Trace; mark(path: (string | number)[]): void }) {
  const critical = useMemo(() => criticalPath(trace), [trace])
  const total = Math.max(trace.durationMs, 0.1)
  return (
    <div className="waterfall">
      <p>
        {ms(trace.durationMs)} in total. {critical.size > 0 && <>The <span className="critical-label">critical path</span> determines this time.</>}
      </p>
      <h2>Calls</h2>
      {trace.calls.length === 0 && <p>The operation made no calls to Mixcloud.</p>}
      <ol>
        {trace.calls.map((call, i) => {
          const field = fieldOf(call, trace.fields)
          return (
            <li key={i} className={critical.has(call) ? 'critical' : undefined}>
              <button type="button" disabled={!field} onClick={() => field && mark(field.path)}>
                <span className="name">{nameOf(call)}</span>
                <Bar className={call.failed ? 'failed' : call.outcome} span={call} wait={call.waitMs} total={total} />
                <span className="time">{timeOf(call, critical.has(call))}</span>
              </button>
            </li>
          )
        })}
      </ol>
      {Boolean(trace.omittedCalls) && <p>{trace.omittedCalls} more calls are not in the trace.</p>}
      <h2>Resolvers</h2>
      <ol>
        {trace.fields.slice(0, 200).map((field, i) => (
          <li key={i}>
            <button type="button" onClick={() => mark(field.path)}>
              <span className="name">{field.path.join('.')}</span>
              <Bar className="field" span={field} wait={0} total={total} />
              <span className="time">{ms(field.durationMs)}</span>
            </button>
          </li>
        ))}
      </ol>
      {trace.fields.length > 200 && <p>The first 200 of {trace.fields.length + (trace.omittedFields ?? 0)} resolvers are shown.</p>}
    </div>
  )
}

function Bar({ span, wait, total, className }: { span: TracedField | TracedCall; wait: number; total: number; className: string }) {
  const percent = (value: number) => `${Math.min(100, (100 * value) / total)}%`
  return (
    <span className="track" aria-hidden="true">
      <span className={`bar ${className}`} style={{ insetInlineStart: percent(span.startMs), inlineSize: percent(span.durationMs) }}>
        {wait >= 0.1 && <span className="wait" style={{ inlineSize: `${(100 * wait) / span.durationMs}%` }} />}
      </span>
    </span>
  )
}

const nameOf = (call: TracedCall) => `${call.method} ${call.path}${call.parameters?.length ? ` ?${call.parameters.join('&')}` : ''}`

function timeOf(call: TracedCall, critical: boolean): string {
  const parts = [call.outcome, ms(call.durationMs)]
  if (call.waitMs >= 0.1) parts.push(`waited ${ms(call.waitMs)}`)
  if (call.failed) parts.push(call.status ? `failed: ${call.status}` : 'failed')
  if (critical) parts.push('critical')
  return parts.join(', ')
}

const ms = (value: number) => `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`
