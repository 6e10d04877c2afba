/** An event of a stream of server-sent events: https://html.spec.whatwg.org/multipage/server-sent-events.html. */
export interface ServerEvent {
  event: string
  data: string
}

/** Parses a stream of server-sent events that arrives in pieces. It skips comments, and events without data or name. */
export class EventStreamParser {
  #rest = ''
  #event = ''
  #data: string[] = []

  /** Parses the next piece, and returns the events that it completes. */
  push(piece: string): ServerEvent[] {
    const events: ServerEvent[] = []
    this.#rest += piece
    // A CR at the end of a piece may be the first half of a CRLF, so the parser keeps it until the next piece.
    const lines = this.#rest.split(/\r\n|\n|\r(?!$)/)
    this.#rest = lines.pop() ?? ''
    for (const line of lines) {
      if (line !== '') {
        this.#field(line)
        continue
      }
      if (this.#event || this.#data.length > 0) events.push({ event: this.#event || 'message', data: this.#data.join('\n') })
      this.#event = ''
      this.#data = []
    }
    return events
  }

  #field(line: string): void {
    const [, name, value] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? []
    if (name === 'event') this.#event = value ?? ''
    if (name === 'data') this.#data.push(value ?? '')
  }
}

/** Reads the events of a response's body. */
export async function* eventsOf(body: ReadableStream<Uint8Array>): AsyncGenerator<ServerEvent> {
  const parser = new EventStreamParser()
  const reader = body.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>).getReader()
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      yield* parser.push(value)
    }
  } finally {
    await reader.cancel().catch(() => undefined) // the connection may be closed
  }
}
