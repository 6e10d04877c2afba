import type { ReactNode } from 'react'
import { result } from '../fetcher'
import { FitButton } from './CostMeter'
import type { Fits } from './fix'

/** The cost of the latest operation, or the reason why it was refused. */
export function CostView() {
  const latest = result.use()
  if (!latest) return <p>Run an operation to see its cost.</p>
  const { cost, response } = latest
  const refusal = response.body?.errors?.find((error) => error.extensions?.fits)
  return (
    <>
      {refusal && (
        <p className="cost-meter over">
          {refusal.message} <FitButton fits={refusal.extensions?.fits as Fits} />
        </p>
      )}
      <dl className="figures">
        {cost && (
          <>
            <Figure name="Calls to Mixcloud">{cost.upstreamCalls}</Figure>
            <Figure name="Estimate">
              {cost.estimated} of {cost.budget}
            </Figure>
            <Figure name="Cache hits">{cost.cacheHits}</Figure>
            <Figure name="Coalesced">{cost.coalesced}</Figure>
            <Figure name="Stale">{cost.stale}</Figure>
          </>
        )}
        <Figure name="Status">{response.status}</Figure>
        <Figure name="Time">{Math.round(response.milliseconds)} ms</Figure>
        {response.requestId && (
          <Figure name="Request id">
            <code>{response.requestId}</code>
          </Figure>
        )}
      </dl>
    </>
  )
}

function Figure({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  )
}
