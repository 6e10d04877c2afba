import { jsFiles } from './plain'
import { documentOf, mapOf, relayDocumentOf, withFiles, type Request } from './request'
import { Identifier, jsTemplate, jsValue } from './text'

const document = (request: Request) => jsTemplate('\n' + documentOf(request)).replace(/\n(?!\n)/g, '\n  ')

/** Returns the variables as a function argument, with an identifier for each file. */
const variables = (request: Request, level = 1) => jsValue(withFiles(request.variables, request.files, (i) => new Identifier(`file${i}`)), level)

const authorization = ({ token }: Request) => (token ? "{ Authorization: 'Bearer $TOKEN' }" : '{}')

/** Apollo Client 4. */
export function apollo(request: Request): string {
  const { endpoint, kind, files } = request
  if (kind === 'subscription') return sse(request)
  const upload = files.length > 0
  const link = upload ? 'UploadHttpLink' : 'HttpLink'
  return `import { ApolloClient, ${upload ? '' : 'HttpLink, '}InMemoryCache, gql } from '@apollo/client'
${upload ? "import UploadHttpLink from 'apollo-upload-client/UploadHttpLink.mjs'\n" : ''}
const client = new ApolloClient({
  cache: new InMemoryCache(),
  link: new ${link}({ uri: ${jsValue(endpoint)}, headers: ${authorization(request)} }),
})
${jsFiles(request)}
const { data } = await client.${kind === 'mutation' ? 'mutate' : 'query'}({
  ${kind === 'mutation' ? 'mutation' : 'query'}: gql${document(request)},
  variables: ${variables(request)},
})
console.log(data)
`
}

/** Apollo Client does not support server-sent events, so this uses graphql-sse. */
function sse(request: Request): string {
  return `import { createClient } from 'graphql-sse' // Apollo Client does not read server-sent events itself

const client = createClient({ url: ${jsValue(request.endpoint)}, headers: ${authorization(request)} })

const events = client.iterate({
  query: ${document(request)},
  variables: ${variables(request)},
})
for await (const { data, errors } of events) console.log(data, errors)
`
}

/** urql, which supports files and server-sent events without another package. */
export function urql(request: Request): string {
  const { endpoint, kind } = request
  const call = `client.${kind}(
  gql${document(request)},
  ${variables(request)},
)`
  return `import { Client, cacheExchange, fetchExchange, gql } from '@urql/core'

const client = new Client({
  url: ${jsValue(endpoint)},
  fetchOptions: { headers: ${authorization(request)} },
  fetchSubscriptions: true, // over server-sent events
  exchanges: [cacheExchange, fetchExchange],
})
${jsFiles(request)}
${kind === 'subscription' ? `${call}.subscribe(({ data, error }) => console.log(data, error))` : `const { data, error } = await ${call}.toPromise()\nconsole.log(data, error)`}
`
}

/** Code for the Relay runtime. relay-compiler compiles its document. */
export function relay(request: Request): string {
  const { kind, endpoint } = request
  const { text, module } = relayDocumentOf(request)
  const tagged = 'graphql' + jsTemplate('\n' + text.trimEnd() + '\n').replace(/\n(?!\n)/g, '\n  ')
  const names = { query: 'fetchQuery', mutation: 'commitMutation', subscription: 'requestSubscription' }
  const imports = ['Environment', 'Network', ...(kind === 'subscription' ? ['Observable'] : []), 'RecordSource', 'Store', names[kind], 'graphql']
  return `// ${module}.js: relay-compiler requires that the names of the file and of the operation match.
import { ${imports.join(', ')} } from 'relay-runtime'
${kind === 'subscription' ? "import { createClient } from 'graphql-sse'\n" : ''}
const url = ${jsValue(endpoint)}
${network(request)}
const environment = new Environment({
  store: new Store(new RecordSource()),
  network: Network.create(execute${kind === 'subscription' ? ', subscribe' : ''}),
})
${jsFiles(request)}
${calls(request, tagged)}`
}

const json = `  const response = await fetch(url, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...headers },
    body: JSON.stringify({ query: text, variables }),
  })
  return response.json()
`

const multipart = (request: Request) => `  const form = new FormData()
  form.set('operations', JSON.stringify({ query: text, variables }))
  form.set('map', ${jsValue(JSON.stringify(mapOf(request)))})
  for (const [name, file] of Object.entries(uploadables)) form.set(name, file)
  const response = await fetch(url, { method: 'POST', headers, body: form })
  return response.json()
`

function network(request: Request): string {
  const upload = request.files.length > 0
  const head = `const headers = ${authorization(request)}

const execute = async ({ text }, variables${upload ? ', cacheConfig, uploadables' : ''}) => {
${upload ? multipart(request) : json}}
`
  if (request.kind !== 'subscription') return head
  return `${head}
const client = createClient({ url, headers })
const subscribe = ({ text }, variables) => Observable.create((sink) => client.subscribe({ query: text, variables }, sink))
`
}

function calls(request: Request, tagged: string): string {
  const values = jsValue(request.variables, 1)
  if (request.kind === 'query') return `const data = await fetchQuery(\n  environment,\n  ${tagged},\n  ${values},\n).toPromise()\nconsole.log(data)\n`
  if (request.kind === 'subscription') {
    return `requestSubscription(environment, {\n  subscription: ${tagged},\n  variables: ${values},\n  onNext: (data) => console.log(data),\n  onError: (error) => console.error(error),\n})\n`
  }
  const uploadables = request.files.length > 0 ? `  uploadables: { ${request.files.map((_, i) => `${i}: file${i}`).join(', ')} },\n` : ''
  return `commitMutation(environment, {\n  mutation: ${tagged},\n  variables: ${values},\n${uploadables}  onCompleted: (data, errors) => console.log(data, errors),\n  onError: (error) => console.error(error),\n})\n`
}
