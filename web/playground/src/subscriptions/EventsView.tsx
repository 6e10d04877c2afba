import { events, type Events } from './subscribe'
import './events.css'

const states: Record<Events['state'], string> = {
  open: 'The subscription is open.',
  complete: 'The server has completed the subscription.',
  refused: 'The server refused the subscription. The response contains the error.',
  stopped: 'You stopped the subscription.',
  lost: 'The connection was lost. Run the subscription again.',
}

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit', fractionalSecondDigits: 3, hour12: false })

/** The events of the latest subscription, with their times. */
export function EventsView() {
  const latest = events.use()
  if (!latest) return <p>Run a subscription to see its events.</p>
  return (
    <>
      <p role="status">
        {states[latest.state]} {latest.events.length === 1 ? '1 event.' : `${latest.events.length} events.`}
      </p>
      <ol className="events">
        {latest.events.map(({ time, body }, i) => (
          <li key={`${time.getTime()}-${i}`}>
            <time dateTime={time.toISOString()}>{clock.format(time)}</time>
            <code>{JSON.stringify(body.errors ? body : body.data)}</code>
          </li>
        ))}
      </ol>
    </>
  )
}
