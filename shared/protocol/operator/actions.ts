import { z } from 'zod'
import { BlobId, ClientId, RunId } from '../../ids.ts'
import { Role } from './role.ts'

/** Names one wish of an operator: the same action with the same id again does nothing and gives the same answer. */
const requestId = z.uuid()
const reason = z.string().trim().min(1).max(500)

/** POST /runs/{run}/actions */
export const RunAction = z.discriminatedUnion('action', [
  z.strictObject({ action: z.literal('pause'), requestId }),
  z.strictObject({ action: z.literal('resume'), requestId }),
  /** As if the deadline had passed: with a quorum the round goes on to fusion, without one it fails. */
  z.strictObject({ action: z.literal('end-round'), requestId }),
  /** No more rounds; the one that goes on is given up. */
  z.strictObject({ action: z.literal('stop'), requestId }),
  /** A new run with the same settings, from the newest model of this one. */
  z.strictObject({ action: z.literal('retry'), requestId }),
])
export type RunAction = z.infer<typeof RunAction>

/** POST /clients/{client}/actions */
export const ClientAction = z.discriminatedUnion('action', [
  /** Ends its connection, refuses the next ones, and leaves its update out while the round collects. */
  z.strictObject({ action: z.literal('ban'), requestId, reason }),
  z.strictObject({ action: z.literal('release'), requestId }),
])
export type ClientAction = z.infer<typeof ClientAction>

/** POST /models/{sha256}/actions: the next round of the run starts from this model. */
export const ModelAction = z.strictObject({
  action: z.enum(['publish', 'roll-back']),
  run: RunId,
  requestId,
})
export type ModelAction = z.infer<typeof ModelAction>

/** POST /quarantine/{id}/actions */
export const QuarantineAction = z.discriminatedUnion('action', [
  z.strictObject({ action: z.literal('release'), requestId }),
  z.strictObject({ action: z.literal('remove'), requestId }),
])
export type QuarantineAction = z.infer<typeof QuarantineAction>

/** POST /session: an operator token, or the secret of a one-time link. */
export const SignInForm = z.union([
  z.strictObject({ token: z.string().min(1).max(200) }),
  z.strictObject({ once: z.string().min(1).max(200) }),
])

/** POST /tokens; an operator token names its role: nobody becomes an admin by silence. */
export const TokenForm = z.strictObject({
  kind: z.enum(['join', 'client', 'operator']),
  role: Role.optional().describe('of an operator token'),
  client: ClientId.optional().describe('of a client token'),
  label: z.string().trim().min(1).max(100).optional(),
  expiresInSeconds: z
    .number()
    .positive()
    .max(10 * 365 * 86_400)
    .optional(),
  requestId,
})
export type TokenForm = z.infer<typeof TokenForm>

/** POST /tokens/{id}/actions: `rotate` gives a new secret; the old one stays good for a while. */
export const TokenAction = z.discriminatedUnion('action', [
  z.strictObject({ action: z.literal('revoke'), requestId }),
  z.strictObject({ action: z.literal('rotate'), requestId }),
])
export type TokenAction = z.infer<typeof TokenAction>

/** POST /runs: options of the command line by their names there, in camel case, as words or as JSON values. */
export const RunForm = z.strictObject({
  options: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
  requestId,
})
export type RunForm = z.infer<typeof RunForm>

/** What was chosen to be the next global model. */
export const ModelChosen = z.strictObject({ run: RunId, sha256: BlobId })
