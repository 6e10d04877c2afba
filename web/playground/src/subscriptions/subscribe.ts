import { credentials, headers, parse, type Body, type Operation } from '../api'
import { store } from '../store'
import { eventsOf } from './eventstream'

/** An event of the latest subscription, with the time at which it arrived. */
export interface TimedEvent {
  time: Date
  body: Body
}

/** The latest subscription: its events and its state. */
export interface Events {
  events: TimedEvent[]
  state: 'open' | 'complete' | 'refused' | 'stopped' | 'lost'
}

export const events = store<Events | null>(null)

/** The maximum number of events that the page keeps. The oldest events are dropped first. */
export const kept = 500

/** Adds an event to a list and drops the oldest above the maximum. */
export function added(list: TimedEvent[], event: TimedEvent): TimedEvent[] {
  return [...list.slice(Math.max(0, list.length + 1 - kept)), event]
}

/**
 * Executes a subscription over server-sent events and calls `next` for each event. Ends when the server completes the subscription. If the
 * connection ends before, throws an error.
 */
export async function subscribe(operation: Operation, more: Record<string, string>, signal: AbortSignal, next: (body: Body) => void): Promise<void> {
  events.set({ events: [], state: 'open' })
  const end = (state: Events['state']) => events.set({ events: events.get()?.events ?? [], state })
  try {
    const response = await fetch('/graphql', {
      method: 'POST',
      headers: headers({ 'Content-Type': 'application/json', Accept: 'text/event-stream, application/graphql-response+json;q=0.9', ...more }),
      body: JSON.stringify(operation),
      credentials: credentials(),
      cache: 'no-store',
      signal,
    })
    if (!response.headers.get('Content-Type')?.startsWith('text/event-stream') || !response.body) {
      const text = await response.text()
      next(parse(text) ?? { errors: [{ message: text || `Status ${response.status}` }] })
      end('refused')
      return
    }
    for await (const event of eventsOf(response.body)) {
      if (event.event === 'complete') {
        end('complete')
        return
      }
      const body = event.event === 'next' && parse(event.data)
      if (!body) continue
      events.set({ events: added(events.get()?.events ?? [], { time: new Date(), body }), state: 'open' })
      next(body)
    }
  } catch (error) {
    if (signal.aborted) {
      end('stopped')
      return
    }
    end('lost')
    throw error
  }
  if (signal.aborted) {
    end('stopped')
    return
  }
  end('lost')
  throw new Error('The connection was lost before the subscription was complete.')
}
