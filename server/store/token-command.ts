import { chmod, open } from 'node:fs/promises'
import { Command } from 'commander'
import Table from 'cli-table3'
import { z } from 'zod'
import { defineCommand } from '../../shared/command/command.ts'
import { DATABASE_OPTION, HOME_OPTION, JSON_OPTION } from '../../shared/command/common-options.ts'
import { writeJson } from '../../shared/command/write-json.ts'
import { GraftError, toGraftError } from '../../shared/errors.ts'
import { ClientId } from '../../shared/ids.ts'
import { Role } from '../../shared/protocol/operator/role.ts'
import { openStore } from './open-store.ts'
import type { Store, TokenKind, TokenRecord } from './store.ts'
import { createSignInSecret, LINK_MINUTES, toSignInLink } from './sign-in-link.ts'
import { rotateToken, ROTATION_HOURS } from './rotate-token.ts'
import { stateOfToken } from './token-state.ts'
import { parseDuration } from './duration.ts'
import { createSecret } from './token.ts'

/** Who the audit log says did it: whoever may run commands on the coordinator's machine. */
const ACTOR = 'operator:command-line'

const STORE_OPTIONS = {
  home: HOME_OPTION.default('graft-data'),
  database: DATABASE_OPTION,
  json: JSON_OPTION,
}

const flag = z.literal(true).optional()

const createCommand = defineCommand({
  name: 'create',
  summary: 'make a token and print its secret, once',
  examples: [
    'graft token create --client alice --expires 30d',
    'graft token create --join --label "field trial"',
    'graft token create --operator --role viewer --label "wall screen"',
  ],
  options: {
    client: ClientId.optional().describe('for the one client of this name').meta({ value: 'NAME' }),
    join: flag.describe('for any client that wants to join'),
    operator: flag.describe('for an operator'),
    role: Role.optional()
      .describe(
        'of an operator: viewer looks, operator steers, admin hands out access; admin when not given',
      )
      .meta({ value: 'ROLE' }),
    label: z
      .string()
      .trim()
      .min(1)
      .max(100)
      .optional()
      .describe('what it is for, shown by `graft token list`')
      .meta({ value: 'TEXT' }),
    expires: z
      .string()
      .transform((text, context) => {
        const milliseconds = parseDuration(text)
        if (milliseconds !== null) return milliseconds
        context.addIssue({
          code: 'custom',
          message: 'must be a number and a unit, as in 90m, 12h or 30d',
        })
        return z.NEVER
      })
      .optional()
      .describe('how long it is valid, e.g. 12h or 30d; until revoked when not given')
      .meta({ value: 'TIME' }),
    ...STORE_OPTIONS,
  },
  run: async ({ client, join, operator, role, label, expires, json, ...place }) => {
    const kind = chooseKind({ client: client !== undefined, join, operator })
    if (role !== undefined && kind !== 'operator') {
      throw new GraftError(
        'GRAFT_OPTION_INVALID',
        `--role is for --operator; a ${kind} token has none.`,
      )
    }
    const secret = createSecret()
    // First of all: a token whose secret cannot be handed over must not come to be.
    if (typeof json === 'string') await reserve(json)
    const token = await withStore(place, async (store) => {
      const created = await store.createToken({
        secret,
        kind,
        clientId: client ?? null,
        role,
        label: label ?? client ?? kind,
        expiresAt: expires === undefined ? null : new Date(Date.now() + expires),
      })
      const { id, expiresAt } = created
      const as = created.role
      const details = {
        id,
        kind,
        role: as,
        client: client ?? null,
        label: created.label,
        expiresAt,
      }
      await store.audit({ actor: ACTOR, action: 'token:created', details })
      return created
    })
    const until = token.expiresAt === null ? 'until revoked' : `until ${toText(token.expiresAt)}`
    await print(json, { ...toReport(token), secret }, [
      `Token ${token.id} (${token.role === null ? kind : `${kind} as ${token.role}`}, ${token.label}) is valid ${until}.`,
      `Its secret is shown only now; give it to ${kind === 'operator' ? 'the operator' : 'the client as GRAFT_TOKEN'}:`,
      secret,
    ])
  },
})

const listCommand = defineCommand({
  name: 'list',
  summary: 'show every token, without its secret',
  examples: ['graft token list', 'graft token list --json tokens.json'],
  options: STORE_OPTIONS,
  run: async ({ json, ...place }) => {
    const tokens = await withStore(place, (store) => store.listTokens())
    const table = new Table({
      head: ['id', 'kind', 'role', 'client', 'label', 'created', 'expires', 'state'],
      style: { head: [], border: [] },
    })
    for (const token of tokens) {
      const { id, kind, role, client, label, createdAt, expiresAt, state } = toReport(token)
      table.push([
        id,
        kind,
        role ?? '',
        client ?? '',
        label,
        createdAt,
        expiresAt ?? 'never',
        state,
      ])
    }
    const lines = tokens.length === 0 ? ['There are no tokens.'] : [table.toString()]
    await print(json, { tokens: tokens.map(toReport) }, lines)
  },
})

const revokeCommand = defineCommand({
  name: 'revoke',
  summary: 'end a token; what it admitted is refused from the next connection on',
  examples: ['graft token revoke 0b5e4c1e-5f0a-4c0e-9d57-2f4f3f1f8a11'],
  args: ['id'],
  options: { id: z.string().describe('id, as `graft token list` shows it'), ...STORE_OPTIONS },
  run: async ({ id, json, ...place }) => {
    await withStore(place, async (store) => {
      if (!(await store.revokeToken(id))) {
        throw new GraftError('GRAFT_OPTION_INVALID', `There is no token ${id}.`)
      }
      await store.audit({ actor: ACTOR, action: 'token:revoked', details: { id } })
    })
    await print(json, { id, state: 'revoked' }, [`Token ${id} is revoked.`])
  },
})

const rotateCommand = defineCommand({
  name: 'rotate',
  summary: `give a token another secret; the one it has stays good for ${ROTATION_HOURS} hours`,
  examples: ['graft token rotate 0b5e4c1e-5f0a-4c0e-9d57-2f4f3f1f8a11'],
  args: ['id'],
  options: { id: z.string().describe('id, as `graft token list` shows it'), ...STORE_OPTIONS },
  run: async ({ id, json, ...place }) => {
    if (typeof json === 'string') await reserve(json)
    const rotated = await withStore(place, (store) => rotateToken(store, id, ACTOR))
    if (rotated === null) {
      throw new GraftError('GRAFT_OPTION_INVALID', `There is no valid token ${id}.`)
    }
    const { token, secret, previousUntil } = rotated
    await print(json, { ...toReport(token), secret, previousUntil: toText(previousUntil) }, [
      `Token ${id} has another secret; the one before stays good until ${toText(previousUntil)}.`,
      'The new one is shown only now:',
      secret,
    ])
  },
})

const linkCommand = defineCommand({
  name: 'link',
  summary: `print a link that signs in an admin to the console, once, within ${LINK_MINUTES} minutes`,
  examples: ['graft token link --server http://127.0.0.1:7433'],
  options: {
    server: z
      .url({ protocol: /^https?$/ })
      .default('http://127.0.0.1:7433')
      .describe('address of the coordinator, as a browser reaches it')
      .meta({ value: 'URL', env: 'GRAFT_SERVER' }),
    ...STORE_OPTIONS,
  },
  run: async ({ server, json, ...place }) => {
    if (typeof json === 'string') await reserve(json)
    const link = await withStore(place, async (store) => {
      const made = toSignInLink(server, await createSignInSecret(store))
      await store.audit({ actor: ACTOR, action: 'link:created', details: { server } })
      return made
    })
    await print(json, { link, minutes: LINK_MINUTES }, [link])
  },
})

/** `graft token create|list|revoke|rotate|link`: works on the store itself, whether or not a coordinator runs. */
export const tokenCommand = new Command('token')
  .summary('make, list and revoke access tokens')
  .description(
    'Make, list and revoke the tokens with which clients and operators identify themselves.',
  )
  .addCommand(createCommand)
  .addCommand(listCommand)
  .addCommand(revokeCommand)
  .addCommand(rotateCommand)
  .addCommand(linkCommand)

function chooseKind(given: Record<TokenKind, boolean | undefined>): TokenKind {
  const kinds = (['client', 'join', 'operator'] as const).filter((kind) => given[kind] === true)
  if (kinds.length === 1) return kinds[0]!
  const problem = `Give one of --client NAME, --join and --operator, not ${kinds.length} of them.`
  throw new GraftError('GRAFT_OPTION_INVALID', problem)
}

async function withStore<Result>(
  place: { readonly home: string; readonly database?: string | undefined },
  use: (store: Store) => Promise<Result>,
): Promise<Result> {
  const store = await openStore({ databaseUrl: place.database, folder: place.home })
  try {
    return await use(store)
  } finally {
    await store.close()
  }
}

function toReport(token: TokenRecord) {
  return {
    id: token.id,
    kind: token.kind,
    role: token.role,
    client: token.clientId,
    label: token.label,
    createdAt: toText(token.createdAt),
    expiresAt: token.expiresAt === null ? null : toText(token.expiresAt),
    state: stateOfToken(token),
  }
}

/** e.g. 2026-01-31T12:00:00Z */
function toText(time: Date): string {
  return time.toISOString().replace(/\.\d+/, '')
}

async function print(
  json: string | true | undefined,
  report: object,
  lines: readonly string[],
): Promise<void> {
  if (json === undefined) process.stdout.write(`${lines.join('\n')}\n`)
  else await writeJson(report, json)
}

/** Makes a file readable by its owner alone before a secret is written to it; writing keeps the mode. */
async function reserve(file: string): Promise<void> {
  try {
    await (await open(file, 'a', 0o600)).close()
    await chmod(file, 0o600)
  } catch (error) {
    throw toGraftError(error)
  }
}
