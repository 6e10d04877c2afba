// GraphQL Yoga with a DataLoader for each operation, and its response cache, for one minute.
import { createServer } from 'node:http'
import { useResponseCache } from '@graphql-yoga/plugin-response-cache'
import { createSchema, createYoga } from 'graphql-yoga'
import { createContext, resolvers, typeDefs } from './resolvers.mjs'

const yoga = createYoga({
  schema: createSchema({ typeDefs, resolvers }),
  context: createContext,
  graphiql: false,
  logging: false,
  plugins: [useResponseCache({ session: () => null, ttl: 60_000 })],
})
const server = createServer(yoga)
server.listen(0, '127.0.0.1', () => console.log(`ready http://127.0.0.1:${server.address().port}`))
