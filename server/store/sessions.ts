import { Role } from '../../shared/protocol/operator/role.ts'
import type { SessionRecord, SessionStore, SignInLinkStore } from './operator-store.ts'
import type { StorePrisma } from './prisma-client.ts'
import { hashSecret } from './token.ts'

/** Turns what a statement throws into what an operator reads. */
export type Answer = <Result>(statement: Promise<Result>) => Promise<Result>

const WITH_TOKEN = { token: { select: { label: true, role: true } } } as const

/** Sessions in the table of their own; see {@link SessionStore}. */
export function createSessions(
  prisma: Pick<StorePrisma, 'operatorSession'>,
  answer: Answer,
): SessionStore {
  const good = (usedSince: Date) => {
    const now = new Date()
    return {
      endedAt: null,
      expiresAt: { gt: now },
      lastSeenAt: { gt: usedSince },
      token: { revokedAt: null, OR: [{ expiresAt: null }, { expiresAt: { gt: now } }] },
    }
  }

  return {
    open: async ({ secret, ...session }) => {
      const now = new Date()
      // Long over: nobody asks for them, and what they did is in the audit log.
      await answer(prisma.operatorSession.deleteMany({ where: { expiresAt: { lt: now } } }))
      const data = { ...session, secretHash: hashSecret(secret), createdAt: now, lastSeenAt: now }
      return toSession(await answer(prisma.operatorSession.create({ data, include: WITH_TOKEN })))
    },

    find: async (secret, usedSince) => {
      const where = { secretHash: hashSecret(secret), ...good(usedSince) }
      const row = await answer(prisma.operatorSession.findFirst({ where, include: WITH_TOKEN }))
      return row === null ? null : toSession(row)
    },

    list: async (usedSince) => {
      const rows = await answer(
        prisma.operatorSession.findMany({
          where: good(usedSince),
          include: WITH_TOKEN,
          orderBy: [{ createdAt: 'asc' }, { id: 'asc' }],
        }),
      )
      return rows.map(toSession)
    },

    touch: async (id) => {
      await answer(
        prisma.operatorSession.updateMany({ where: { id }, data: { lastSeenAt: new Date() } }),
      )
    },

    end: async (id) => {
      const { count } = await answer(
        prisma.operatorSession.updateMany({
          where: { id, endedAt: null },
          data: { endedAt: new Date() },
        }),
      )
      return count > 0
    },
  }
}

/** One-time links in the table of their own; see {@link SignInLinkStore}. */
export function createSignInLinks(
  prisma: Pick<StorePrisma, 'signInLink'>,
  answer: Answer,
): SignInLinkStore {
  return {
    create: async ({ secret, expiresAt }) => {
      await answer(
        prisma.signInLink.create({ data: { secretHash: hashSecret(secret), expiresAt } }),
      )
    },
    use: async (secret) => {
      const now = new Date()
      // One statement: of two who come at once, one finds it unused.
      const { count } = await answer(
        prisma.signInLink.updateMany({
          where: { secretHash: hashSecret(secret), usedAt: null, expiresAt: { gt: now } },
          data: { usedAt: now },
        }),
      )
      return count > 0
    },
  }
}

function toSession({
  token,
  ...row
}: Omit<SessionRecord, 'label' | 'role'> & {
  readonly token: { readonly label: string; readonly role: string | null }
}): SessionRecord {
  const { id, tokenId, userAgent, createdAt, lastSeenAt, expiresAt } = row
  const { label } = token
  const role = Role.parse(token.role)
  return { id, tokenId, label, role, userAgent, createdAt, lastSeenAt, expiresAt }
}
