import { useGraphiQL } from '@graphiql/react'
import { getVariableValues, GraphQLError, parse, validate, type GraphQLSchema } from 'graphql'
import { useEffect } from 'react'
import { send } from '../api'
import { named, operationOf } from '../document'
import { store } from '../store'
import { variablesOf } from '../variables'
import type { Fits } from './fix'

/** The estimated cost of the operation in the editor. */
export interface Estimate {
  estimated: number
  budget: number
  fits?: Fits
}

export const estimate = store<Estimate | null>(null)

const wait = 400 // ms after the last change of the query, the variables or the operation

/** Updates the estimate while the user types, with dry runs, which execute nothing and make no call. */
export function useEstimate(): void {
  const schema = useGraphiQL((state) => state.schema)
  const operationName = useGraphiQL((state) => state.operationName)
  const queryEditor = useGraphiQL((state) => state.queryEditor)
  const variableEditor = useGraphiQL((state) => state.variableEditor)
  useEffect(() => {
    if (!schema || !queryEditor || !variableEditor) return undefined
    let timer = 0
    let running: AbortController | undefined
    const update = () => {
      window.clearTimeout(timer)
      running?.abort()
      timer = window.setTimeout(async () => {
        const query = queryEditor.getValue()
        const variables = variablesOf(variableEditor.getValue())
        if (!variables || !executable(schema, query, operationName, variables)) {
          estimate.set(null)
          return
        }
        running = new AbortController()
        try {
          const { body } = await send({ query, variables, ...named(parse(query), operationName) }, { 'X-GraphQL-Dry-Run': 'true' }, running.signal)
          const cost = body?.extensions?.cost as Estimate | undefined
          estimate.set(cost && !body?.errors ? cost : null)
        } catch {
          // The next change aborted the request, or the server is unreachable, which the next run of the operation reports.
        }
      }, wait)
    }
    update()
    const listeners = [queryEditor.onDidChangeModelContent(update), variableEditor.onDidChangeModelContent(update)]
    return () => {
      window.clearTimeout(timer)
      running?.abort()
      for (const listener of listeners) listener.dispose()
    }
  }, [schema, operationName, queryEditor, variableEditor])
}

/**
 * Reports whether a dry run is possible: the document and the variables are valid, and the operation is not a subscription, which
 * has no cost. A dry run is not possible with files, because a JSON request cannot contain them.
 */
function executable(schema: GraphQLSchema, query: string, name: string | undefined, variables: Record<string, unknown>): boolean {
  try {
    const document = parse(query)
    const operation = operationOf(document, name)
    if (!operation || operation.operation === 'subscription' || validate(schema, document).length > 0) return false
    return !getVariableValues(schema, operation.variableDefinitions ?? [], variables).errors
  } catch (error) {
    if (error instanceof GraphQLError) return false
    throw error
  }
}
