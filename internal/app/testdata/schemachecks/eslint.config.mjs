// Checks graph/*.graphqls by graphql-eslint's recommended rules for schemas and by its Relay rules. Run from the root of
// the repository:
//
//   internal/app/testdata/schemachecks/node_modules/.bin/eslint --config internal/app/testdata/schemachecks/eslint.config.mjs graph
//
// Each exception states its reason.
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

      // Descriptions of one line use quotes, longer ones use blocks. The rule allows only one of these styles.
      '@graphql-eslint/description-style': 'off',

      // Lists without pages are allowed: they are part of their object (tags, hosts, pictures), or as long as an
      // argument (`nodes`, `resources`). The other parts of the rule stay on: edges have `node` and `cursor`.
      '@graphql-eslint/relay-edge-types': ['error', { withEdgeSuffix: true, shouldImplementNode: true, listTypeCanWrapOnlyEdgeType: false }],

      // An id is an argument of `Query.node`. These types are parts of other objects, or results. Mixcloud's API has no
      // URL for them, so they cannot be refetched.
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
    // `username` is Mixcloud's name for a member of a user. The rule has no list of exceptions.
    files: ['graph/schema/user.graphqls'],
    rules: { '@graphql-eslint/no-typename-prefix': 'off' },
  },
]
