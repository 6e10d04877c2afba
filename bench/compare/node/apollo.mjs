// Apollo Server with a DataLoader for each operation.
import { ApolloServer } from '@apollo/server'
import { startStandaloneServer } from '@apollo/server/standalone'
import { createContext, resolvers, typeDefs } from './resolvers.mjs'

const { url } = await startStandaloneServer(new ApolloServer({ typeDefs, resolvers }), {
  context: async () => createContext(),
  listen: { host: '127.0.0.1', port: 0 },
})
console.log(`ready ${new URL(url).origin}`)
