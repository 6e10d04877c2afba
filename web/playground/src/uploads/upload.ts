import { visit, type DocumentNode } from 'graphql'
import { credentials, headers, parse, type Operation, type Response } from '../api'
import { store } from '../store'
import { eventsOf } from '../subscriptions/eventstream'
import { formOf, uploadIdOf } from './form'

/** The chosen files, by their paths in the variables. */
export const files = store<ReadonlyMap<string, File>>(new Map())

/** The progress of the running upload. Bytes are those that the server has sent to Mixcloud; undefined if unknown. */
export interface Progress {
  phase: 'CHECKING' | 'SENDING' | 'PROCESSING' | 'DONE' | 'FAILED' | 'UNKNOWN'
  bytesSent?: number
  bytesTotal?: number | null
}

/** The progress of the running upload; null if no upload is running. */
export const progress = store<Progress | null>(null)

const subscription = 'subscription Progress($uploadId: String!) { uploadProgress(uploadId: $uploadId) { phase bytesSent bytesTotal } }'

/** Sends an operation with its files. If the operation contains an uploadId, it also reports the progress. */
export async function upload(operation: Operation, document: DocumentNode, chosen: ReadonlyMap<string, File>, more: Record<string, string>, signal: AbortSignal): Promise<Response> {
  const id = uploadIdOf(operation.variables) || literalUploadId(document)
  progress.set({ phase: id ? 'CHECKING' : 'UNKNOWN' })
  const watching = new AbortController()
  if (id) void watch(id, watching.signal)
  const start = performance.now()
  try {
    const response = await fetch('/graphql', {
      method: 'POST',
      headers: headers({ Accept: 'application/graphql-response+json, application/json;q=0.9', ...more }),
      body: formOf(operation, chosen),
      credentials: credentials(),
      signal,
    })
    const text = await response.text()
    return { body: parse(text), text, status: response.status, milliseconds: performance.now() - start, requestId: response.headers.get('X-Request-Id') }
  } finally {
    watching.abort()
    progress.set(null)
  }
}

/** Subscribes to the progress of an upload. Errors are ignored, because the upload does not depend on the subscription. */
async function watch(uploadId: string, signal: AbortSignal): Promise<void> {
  try {
    const response = await fetch('/graphql', {
      method: 'POST',
      headers: headers({ 'Content-Type': 'application/json', Accept: 'text/event-stream' }),
      body: JSON.stringify({ query: subscription, variables: { uploadId } }),
      credentials: credentials(),
      signal,
    })
    if (!response.ok || !response.body) return
    for await (const { event, data } of eventsOf(response.body)) {
      const next = event === 'next' && parse(data)?.data?.uploadProgress
      if (next && !signal.aborted) progress.set(next as Progress)
    }
  } catch {
    // the upload ended, or the connection was lost
  }
}

/** Returns the uploadId that is a literal in the document, or ''. */
function literalUploadId(document: DocumentNode): string {
  let id = ''
  visit(document, {
    ObjectField(field) {
      if (field.name.value === 'uploadId' && field.value.kind === 'StringValue') id ||= field.value.value
    },
  })
  return id
}
