// A client for the REST API, and the loader of an operation.
import DataLoader from 'dataloader'
import { Pool } from 'undici'

// createClient returns a function that reads a path of the API. It returns null for a path without a resource.
export function createClient(url) {
  const pool = new Pool(url, { connections: 256 })
  return async path => {
    const { statusCode, body } = await pool.request({ method: 'GET', path })
    if (statusCode === 200) return body.json()
    await body.dump()
    if (statusCode === 404) return null
    throw new Error(`Mixcloud: GET ${path}: status ${statusCode}`)
  }
}

// createLoader returns a loader that reads each path once. The API has no batch calls, so the calls of a batch run in parallel.
export const createLoader = read => new DataLoader(paths => Promise.all(paths.map(path => read(path).catch(error => error))))
