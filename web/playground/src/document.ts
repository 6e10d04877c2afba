import { Kind, type DocumentNode, type OperationDefinitionNode } from 'graphql'

/** Returns the operation with a name, or the first operation if there is none: GraphiQL updates the name later than the editor's text. */
export function operationOf(document: DocumentNode, name: string | null | undefined): OperationDefinitionNode | undefined {
  const operations = document.definitions.filter((d): d is OperationDefinitionNode => d.kind === Kind.OPERATION_DEFINITION)
  return operations.find((operation) => operation.name?.value === name) ?? operations[0]
}

/** Returns the member operationName of a request, or no member if the document has no operation with this name. */
export function named(document: DocumentNode, name: string | null | undefined): { operationName?: string } {
  return name && operationOf(document, name)?.name?.value === name ? { operationName: name } : {}
}
