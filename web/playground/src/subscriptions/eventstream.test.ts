import { describe, expect, test } from 'vitest'
import { EventStreamParser, eventsOf, type ServerEvent } from './eventstream'

function parse(...pieces: string[]): ServerEvent[] {
  const parser = new EventStreamParser()
  return pieces.flatMap((piece) => parser.push(piece))
}

describe('EventStreamParser', () => {
  test.each<[string, string[], ServerEvent[]]>([
    ['reads an event', ['event: next\ndata: {"a":1}\n\n'], [{ event: 'next', data: '{"a":1}' }]],
    ['reads one in pieces', ['ev', 'ent: ne', 'xt\nda', 'ta: 1', '\n', '\n'], [{ event: 'next', data: '1' }]],
    ['reads CRLF, also divided', ['event: next\r\ndata: 1\r', '\n\r\n'], [{ event: 'next', data: '1' }]],
    ['joins lines of data', ['data: 1\ndata: 2\n\n'], [{ event: 'message', data: '1\n2' }]],
    ['ignores comments', [': ping\n\n', 'data:x\n\n'], [{ event: 'message', data: 'x' }]],
    ['reads an event without data', ['event: complete\n\n'], [{ event: 'complete', data: '' }]],
    ['drops an event that is not ended', ['data: 1\n'], []],
  ])('%s', (_name, pieces, want) => {
    expect(parse(...pieces)).toEqual(want)
  })

  test('reads the same events wherever the text is divided', () => {
    const text = 'event: next\r\ndata: {"ü":"🎧"}\r\n\r\n:\n\nevent: complete\ndata:\n\n'
    for (let i = 0; i <= text.length; i++) expect(parse(text.slice(0, i), text.slice(i))).toEqual(parse(text))
  })
})

test('eventsOf reads a body of bytes', async () => {
  const bytes = new TextEncoder().encode('data: ü\n\ndata: 2\n\n')
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const byte of bytes) controller.enqueue(Uint8Array.of(byte))
      controller.close()
    },
  })
  const events: ServerEvent[] = []
  for await (const event of eventsOf(body)) events.push(event)
  expect(events.map((e) => e.data)).toEqual(['ü', '2'])
})
