import { format } from 'prettier'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { FaultPlan } from '../../../../shared/protocol/fault-plan.ts'

// Writes the schema anew: npx vitest run --project unit test/unit/shared/protocol/fault-plan.test.ts -u
it('should have its JSON schema beside it, up to date', async () => {
  const schema = JSON.stringify(z.toJSONSchema(FaultPlan))
  const text = await format(schema, { parser: 'json', printWidth: 100 })
  await expect(text).toMatchFileSnapshot('../../../../shared/protocol/fault-plan.schema.json')
})
