import { Kind, type DocumentNode, type OperationDefinitionNode } from 'graphql'

/** The operation of a document that has a name, or the first one if none has: GraphiQL updates the name later than the editor's text. */
export function operationOf(document: DocumentNode, name: string | null | undefined): OperationDefinitionNode | undefined {
  const operations = document.definitions.filter((d): d is OperationDefinitionNode => d.kind === Kind.OPERATION_DEFINITION)
  return operations.find((operation) => operation.name?.value === name) ?? operations[0]
}

/** The member operationName of a request for an operation of a document: none if the document has no operation of that name. */
export function named(document: DocumentNode, name: string | null | undefined): { operationName?: string } {
  return name && operationOf(document, name)?.name?.value === name ? { operationName: name } : {}
}
