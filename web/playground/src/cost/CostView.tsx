import { result } from '../fetcher'

/** What the latest operation has cost. */
export function CostView() {
  const latest = result.use()
  if (!latest?.cost) return <p>Run an operation to see its cost.</p>
  const { cost, response } = latest
  return (
    <dl className="figures">
      <div>
        <dt>Calls to Mixcloud</dt>
        <dd>{cost.upstreamCalls}</dd>
      </div>
      <div>
        <dt>Estimated, of the budget</dt>
        <dd>
          {cost.estimated} of {cost.budget}
        </dd>
      </div>
      <div>
        <dt>Cache hits</dt>
        <dd>{cost.cacheHits}</dd>
      </div>
      <div>
        <dt>Coalesced</dt>
        <dd>{cost.coalesced}</dd>
      </div>
      <div>
        <dt>Stale</dt>
        <dd>{cost.stale}</dd>
      </div>
      <div>
        <dt>Status, time</dt>
        <dd>
          {response.status}, {Math.round(response.milliseconds)} ms
        </dd>
      </div>
    </dl>
  )
}
