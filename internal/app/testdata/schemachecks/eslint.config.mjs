// graphql-eslint's rules for schemas, recommended and Relay's, over graph/*.graphqls. Run from the root of the
// repository:
//
//   internal/app/testdata/schemachecks/node_modules/.bin/eslint --config internal/app/testdata/schemachecks/eslint.config.mjs graph
//
// An exception has its reason beside it.
import plugin from '@graphql-eslint/eslint-plugin'

export default [
  {
    files: ['graph/**/*.graphqls'],
    plugins: { '@graphql-eslint': plugin },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    languageOptions: {
      parser: plugin.parser,
      parserOptions: { graphQLConfig: { schema: ['graph/schema.graphqls', 'graph/schema/*.graphqls'] } },
    },
    rules: {
      ...plugin.configs['flat/schema-recommended'].rules,
      ...plugin.configs['flat/schema-relay'].rules,

      // A description of one line stands in quotes, a longer one in a block. The rule knows one style for all.
      '@graphql-eslint/description-style': 'off',

      // A list without pages is one that comes along with its object, or that the client gives itself: tags, hosts,
      // pictures, `nodes`, `resources`. The rest of the rule holds: edges have `node` and `cursor`.
      '@graphql-eslint/relay-edge-types': ['error', { withEdgeSuffix: true, shouldImplementNode: true, listTypeCanWrapOnlyEdgeType: false }],

      // An id is what `Query.node` takes. These objects are parts of another one, or results, and have no address of
      // their own in Mixcloud's API, so that nothing could refetch them.
      '@graphql-eslint/strict-id-in-types': [
        'error',
        {
          acceptedIdNames: ['id'],
          exceptions: {
            suffixes: ['Connection', 'Edge', 'Payload', 'Section'],
            types: ['PageInfo', 'RateLimit', 'UserError', 'Picture', 'OEmbed', 'Search', 'Discovery', 'UploadProgress'],
          },
        },
      ],
    },
  },
  {
    // `username` is Mixcloud's own word for a member of its users. The rule takes no names to ignore.
    files: ['graph/schema/user.graphqls'],
    rules: { '@graphql-eslint/no-typename-prefix': 'off' },
  },
]
