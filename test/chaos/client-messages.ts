import { z } from 'zod'
import { CLIENT_PHASES } from './plan.ts'

/** One client of a process. */
const ClientPlace = z.strictObject({
  name: z.string(),
  /** Part of the data. */
  shard: z.int(),
  /** Its own links to the coordinators. */
  servers: z.array(z.url()),
})

/** What a process of clients is started with: its one argument, as JSON. */
export const ClientProcessOptions = z.strictObject({
  clients: z.array(ClientPlace),
  /** Parts of the data. */
  shards: z.int(),
  data: z.string(),
  engine: z.enum(['auto', 'native', 'webgpu', 'wasm']),
  token: z.string(),
  /** Folder of the clients' records. */
  records: z.string(),
  /** Of the updates that are spoilt. */
  seed: z.string(),
  /** Probability that a client sends a spoilt update before its honest one. */
  spoilt: z.number(),
})
export type ClientProcessOptions = z.infer<typeof ClientProcessOptions>

/** What it is told: drop this client's connection, and come back. */
export const DropClient = z.strictObject({ type: z.literal('drop'), client: z.string() })
export type DropClient = z.infer<typeof DropClient>

/** What it tells. */
export const ClientNews = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('phase'),
    client: z.string(),
    round: z.int(),
    phase: z.enum(CLIENT_PHASES),
  }),
  z.strictObject({ type: z.literal('finished'), client: z.string() }),
  z.strictObject({ type: z.literal('failed'), client: z.string(), problem: z.string() }),
])
export type ClientNews = z.infer<typeof ClientNews>
