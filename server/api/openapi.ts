import swagger from '@fastify/swagger'
import {
  createJsonSchemaTransform,
  createJsonSchemaTransformObject,
} from 'fastify-type-provider-zod'
import { z } from 'zod'
import { ClientLane, FederationView, LiveEvent } from '../../shared/protocol/operator/live.ts'
import * as resources from '../../shared/protocol/operator/resources.ts'
import { GRAFT_VERSION } from '../../shared/protocol/graft-version.ts'
import { RunSettings } from '../../shared/protocol/run-settings.ts'
import type { ApiApp } from './api-app.ts'
import { COOKIE } from './identity.ts'

/** What the document names, so that a generated client has types with names. */
const NAMED = {
  ClientLane,
  FederationView,
  LiveEvent,
  RunSettings,
  Problem: resources.Problem,
  RoundSummary: resources.RoundSummary,
  RunResource: resources.RunResource,
  RoundResource: resources.RoundResource,
  LedgerResource: resources.LedgerResource,
  ClientResource: resources.ClientResource,
  ClientRoundResource: resources.ClientRoundResource,
  ModelResource: resources.ModelResource,
  ModelComparison: resources.ModelComparison,
  QuarantinedResource: resources.QuarantinedResource,
  TokenResource: resources.TokenResource,
  NewToken: resources.NewToken,
  SessionResource: resources.SessionResource,
  AuditResource: resources.AuditResource,
  RunFormOption: resources.RunFormOption,
} as const

/** Writes the OpenAPI document from the schemas of the routes that are registered after it. */
export async function addOpenApi(app: ApiApp): Promise<void> {
  const schemaRegistry = z.registry<{ id: string }>()
  for (const [id, schema] of Object.entries(NAMED)) schemaRegistry.add(schema, { id })
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Graft',
        version: GRAFT_VERSION,
        description:
          'What a coordinator tells its operators and does for them. Lists are pages: `next` of one is `cursor` of the next. ' +
          'Refusals are problems (RFC 9457) with a code and a remedy. `x-graft-role` of a route names the role it takes.',
      },
      components: {
        securitySchemes: {
          session: { type: 'apiKey', in: 'cookie', name: COOKIE },
          bearer: { type: 'http', scheme: 'bearer' },
        },
      },
    },
    transform: createJsonSchemaTransform({ schemaRegistry }),
    transformObject: createJsonSchemaTransformObject({ schemaRegistry }),
  })
}
