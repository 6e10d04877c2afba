// The schema and its resolvers, the same for both servers.
import { readFileSync } from 'node:fs'
import { createClient, createLoader } from './mixcloud.mjs'

export const typeDefs = readFileSync(new URL('schema.graphql', import.meta.url), 'utf8')

const read = createClient(process.env.MIXCLOUD_API_URL)

// createContext returns the context of one operation.
export const createContext = () => ({ mixcloud: createLoader(read) })

// renamed resolves fields whose member has another name in Mixcloud's JSON.
function renamed(members) {
  const resolvers = {}
  for (const [field, member] of Object.entries(members)) resolvers[field] = parent => parent[member]
  return resolvers
}

// loaded resolves fields that lists and nested objects omit: from the object if it has the member, otherwise from the complete resource.
function loaded(members) {
  const resolvers = {}
  for (const [field, member] of Object.entries(members)) {
    resolvers[field] = async (parent, _args, { mixcloud }) => {
      if (member in parent) return parent[member]
      return (await mixcloud.load(parent.key))?.[member]
    }
  }
  return resolvers
}

// page reads the items of a list.
async function page(mixcloud, path, { limit, offset }, query = {}) {
  const response = await mixcloud.load(`${path}?${new URLSearchParams({ ...query, limit, offset })}`)
  return response?.data
}

// pages resolves the list below an object's key.
const pages = list => (parent, args, { mixcloud }) => page(mixcloud, `${parent.key}${list}/`, args)

export const resolvers = {
  Query: {
    user: (_root, { username }, { mixcloud }) => mixcloud.load(`/${encodeURIComponent(username)}/`),
    popular: (_root, args, { mixcloud }) => page(mixcloud, '/popular/', args),
    search: (_root, args, { mixcloud }) => page(mixcloud, '/search/', args, { q: args.query, type: 'cloudcast' }),
  },
  User: {
    ...loaded({ biog: 'biog', city: 'city', followerCount: 'follower_count' }),
    cloudcasts: pages('cloudcasts'),
    followers: pages('followers'),
  },
  Cloudcast: {
    ...renamed({
      createdAt: 'created_time',
      updatedAt: 'updated_time',
      playCount: 'play_count',
      favoriteCount: 'favorite_count',
      commentCount: 'comment_count',
      listenerCount: 'listener_count',
      repostCount: 'repost_count',
      audioLength: 'audio_length',
    }),
    ...loaded({ description: 'description' }),
    comments: pages('comments'),
  },
  Pictures: renamed({ mediumMobile: 'medium_mobile', extraLarge: 'extra_large' }),
  Comment: renamed({ text: 'comment' }),
}
