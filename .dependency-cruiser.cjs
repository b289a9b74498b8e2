const rule = (name, comment, from, to) => ({ name, comment, severity: 'error', from, to })

module.exports = {
  forbidden: [
    rule('no-cycles', 'a cycle has no reading order', {}, { circular: true }),
    rule(
      'shared-is-a-leaf',
      'shared/ runs on both sides and knows neither',
      { path: '^shared/' },
      { path: '^(server|client|test)/' },
    ),
    rule(
      'client-not-server',
      'they meet in shared/protocol, over a real socket',
      { path: '^client/' },
      { path: '^(server|prisma)/' },
    ),
    rule(
      'dashboard-by-itself',
      'it runs in a browser: what it shares with the other clients is in shared/',
      { path: '^client/dashboard/' },
      { path: '^client/(?!dashboard/)' },
    ),
    rule(
      'dashboard-is-a-leaf',
      'nothing that runs in Node needs a page',
      { path: '^(cli|library|server/|client/|shared/)', pathNot: '^client/dashboard/' },
      { path: '^client/dashboard/' },
    ),
    rule(
      'server-not-client',
      'they meet in shared/protocol, over a real socket',
      { path: '^server/' },
      { path: '^client/' },
    ),
    rule(
      'commands-when-needed',
      'a process loads what its command needs, and no more',
      { path: '^cli[.]ts$' },
      {
        path: '^(server|client)/|^shared/(?!command/|protocol/)',
        dependencyTypesNot: ['dynamic-import'],
      },
    ),
    rule(
      'fusion-is-pure',
      'a strategy is a function of its inputs',
      { path: '^server/fusion/' },
      { path: '^server/(?!fusion/)' },
    ),
    rule(
      'state-is-pure',
      'the round state machine has no effects',
      { path: '^server/coordinator/round-state' },
      { path: '^server/(?!coordinator/round-state)' },
    ),
    rule(
      'pure-code-has-no-io',
      'no fs, net or timers in the core; main.ts and the edges do input and output',
      {
        path: '^(shared/(model|training|attribution|numeric)/|server/fusion|server/coordinator/round-state)',
      },
      { dependencyTypes: ['core'] },
    ),
    rule(
      'prisma-only-in-store',
      'one folder owns the database',
      { path: '^(cli|library|server|client|shared)', pathNot: '^server/store/' },
      { path: 'node_modules/(@prisma|pglite-prisma-adapter|@electric-sql|pg)/' },
    ),
    rule(
      's3-only-in-its-folder',
      'one folder knows the bucket, and is loaded only for one',
      { path: '^(cli|library|server|client|shared)', pathNot: '^server/store/s3/' },
      { path: 'node_modules/(@aws-sdk|@smithy)/' },
    ),
    rule(
      'sockets-only-at-the-edge',
      'one folder per side owns the wire',
      {
        path: '^(cli|library|server|client|shared)',
        pathNot: '^(server/gateway|client/node|client/watch|client/dashboard)/',
      },
      { path: 'node_modules/socket\\.io' },
    ),
    rule(
      'engines-only-in-engine',
      'one folder chooses and loads the TensorFlow.js back end',
      { path: '^(cli|library|server|client|shared)', pathNot: '^shared/engine/' },
      { path: 'node_modules/@tensorflow/tfjs-(node|backend)' },
    ),
    rule(
      'zod-only-at-the-edge',
      'inside, values are already parsed',
      {
        path: '^(server|client|shared)/',
        pathNot:
          '^(shared/protocol|shared/command|server/gateway|server/api)/|^shared/ids|^server/coordinator/journal|(^|/)[a-z-]*(command|config|main)\\.ts$',
      },
      { path: 'node_modules/zod' },
    ),
    rule(
      'tests-are-not-a-library',
      'product code never imports a test',
      { path: '^(cli|library|server|client|shared)' },
      { path: '^test/' },
    ),
  ],
  options: {
    doNotFollow: { path: 'node_modules|server/store/generated' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      extensions: ['.ts', '.tsx', '.js'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
}
