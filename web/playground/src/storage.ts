// The storage of GraphiQL's tabs, history and settings.

/** Removes the headers of queries, at any depth, from a JSON text. Other texts are returned unchanged. */
export function withoutHeaders(text: string): string {
  if (!text.includes('"headers"')) return text
  try {
    return JSON.stringify(JSON.parse(text, (key, value: unknown) => (key === 'headers' ? undefined : value)))
  } catch {
    return text
  }
}

/**
 * Wraps the browser's storage and removes headers from the stored texts. Headers can contain a token, and GraphiQL's history
 * would store them. If the browser permits no storage, nothing is stored.
 */
export function storageWithoutHeaders(inner: Storage | null) {
  const ours = () => Object.keys(inner ?? {}).filter((key) => key.startsWith('graphiql:'))
  return {
    getItem: (key: string) => inner?.getItem(key) ?? null,
    setItem(key: string, value: string) {
      if (key !== 'graphiql:headers') inner?.setItem(key, withoutHeaders(value))
    },
    removeItem: (key: string) => inner?.removeItem(key),
    clear: () => ours().forEach((key) => inner?.removeItem(key)),
    get length() {
      return ours().length
    },
  }
}

function browserStorage(): Storage | null {
  try {
    return localStorage
  } catch {
    return null
  }
}

export const storage = storageWithoutHeaders(browserStorage())
