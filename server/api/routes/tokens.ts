import { z } from 'zod'
import { GraftError } from '../../../shared/errors.ts'
import { TokenAction, TokenForm } from '../../../shared/protocol/operator/actions.ts'
import { NewToken, pageOf, TokenResource } from '../../../shared/protocol/operator/resources.ts'
import { createSecret } from '../../store/token.ts'
import type { AccessWatch } from '../access-watch.ts'
import { type ApiApp, of } from '../api-app.ts'
import type { ApiContext } from '../api-context.ts'
import { PAGE_QUERY, pageOfList } from '../cursor.ts'
import { identityOf } from '../guard.ts'
import { findTokenById, toTokenResource } from '../resources/token-resource.ts'
import { ROTATION_HOURS, rotateToken } from '../../store/rotate-token.ts'
import type { Wishes } from '../wishes.ts'

const tags: [string] = ['tokens']
const TOKEN = z.strictObject({ id: z.uuid() })

/** Tokens: list, make, revoke, rotate. */
export function tokenRoutes(
  app: ApiApp,
  { operations, store }: ApiContext,
  { wishes, watch }: { readonly wishes: Wishes; readonly watch: AccessWatch },
): void {
  app.get(
    '/tokens',
    of('admin', {
      tags,
      summary: 'Tokens, oldest first, without their secrets',
      querystring: z.strictObject({
        ...PAGE_QUERY,
        kind: TokenResource.shape.kind.optional().describe('only tokens of this kind'),
        state: TokenResource.shape.state.optional().describe('only tokens in this state'),
      }),
      response: { 200: pageOf(TokenResource) },
    }),
    async ({ query: { kind, state, ...page } }) => {
      const wanted = (await store.listTokens())
        .map(toTokenResource)
        .filter((it) => (kind ?? it.kind) === it.kind && (state ?? it.state) === it.state)
      return pageOfList(wanted, page, ({ createdAt, id }) => `${createdAt} ${id}`)
    },
  )

  app.post(
    '/tokens',
    of('admin', {
      tags,
      summary: 'Make a token; its secret is in the answer, and nowhere else',
      body: TokenForm,
      response: { 201: NewToken },
    }),
    async (request, reply) => {
      const { actor, tokenId } = identityOf(request)
      const { requestId, ...form } = request.body
      assertFits(form)
      const wish = { requestId, of: ['create token', tokenId, form], isSecret: true }
      const { body } = await wishes.once(wish, async () => {
        const secret = createSecret()
        const { kind, role, client, expiresInSeconds } = form
        const token = await store.createToken({
          secret,
          kind,
          clientId: client ?? null,
          role,
          label: form.label ?? client ?? kind,
          expiresAt:
            expiresInSeconds === undefined ? null : new Date(Date.now() + expiresInSeconds * 1000),
        })
        const { id, label, expiresAt } = token
        const details = { id, kind, role: token.role, client: client ?? null, label, expiresAt }
        await store.audit({ actor, action: 'token:created', details })
        return { status: 201, body: { ...toTokenResource(token), secret, previousUntil: null } }
      })
      return reply.code(201).send(body)
    },
  )

  app.get(
    '/tokens/:id',
    of('admin', {
      tags,
      summary: 'One token, without its secret',
      params: TOKEN,
      response: { 200: TokenResource },
    }),
    async ({ params: { id } }) => toTokenResource(await findTokenById(store, id)),
  )

  app.post(
    '/tokens/:id/actions',
    of('admin', {
      tags,
      summary: 'Revoke a token at once, or give it another secret',
      description: `Whoever a revoked token let in is out at once. The secret before a rotation stays good for ${ROTATION_HOURS} hours. \`rotate\` answers with the new secret, \`revoke\` with the token.`,
      params: TOKEN,
      body: TokenAction,
      response: { 200: z.union([NewToken, TokenResource]) },
    }),
    async (request) => {
      const { actor, tokenId } = identityOf(request)
      const { id } = request.params
      const { requestId, action } = request.body
      const isSecret = action === 'rotate'
      const wish = { requestId, of: ['token', tokenId, id, action], isSecret }
      const { body } = await wishes.once<NewToken | TokenResource>(wish, async () => {
        await findTokenById(store, id)
        if (action === 'rotate') {
          const rotated = await rotateToken(store, id, actor)
          if (rotated === null) {
            throw new GraftError('GRAFT_ACTION_REFUSED', `Token ${id} is no longer valid.`)
          }
          const { token, secret, previousUntil } = rotated
          const told = { secret, previousUntil: previousUntil.toISOString() }
          return { status: 200, body: { ...toTokenResource(token), ...told } }
        }
        await store.revokeToken(id)
        await store.audit({ actor, action: 'token:revoked', details: { id } })
        await operations.tokenRevoked(id)
        watch.tokenRevoked(id)
        return { status: 200, body: toTokenResource(await findTokenById(store, id)) }
      })
      return body
    },
  )
}

function assertFits({ kind, role, client }: Omit<TokenForm, 'requestId'>): void {
  const fault =
    kind === 'operator' && role === undefined
      ? 'An operator token needs a role: viewer, operator or admin.'
      : kind !== 'operator' && role !== undefined
        ? `A ${kind} token has no role.`
        : kind === 'client' && client === undefined
          ? 'A client token needs the name of its client.'
          : kind !== 'client' && client !== undefined
            ? `A ${kind} token is for no one client.`
            : null
  if (fault !== null) throw new GraftError('GRAFT_REQUEST_INVALID', fault)
}
