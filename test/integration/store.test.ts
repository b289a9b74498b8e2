import { describe } from 'vitest'
import { openStore } from '../../server/store/open-store.ts'
import { createTestDatabase, postgresMissing } from '../support/database.ts'
import { describeStore } from '../support/store-contract.ts'
import { createTemporaryFolder } from '../support/temporary-folder.ts'

const missing = await postgresMissing()

describe('store in the embedded database', () => {
  describeStore(async () => {
    const folder = await createTemporaryFolder()
    return {
      open: () => openStore({ databaseUrl: undefined, folder: folder.path }),
      [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
    }
  })
})

describe.skipIf(missing)(`store in PostgreSQL${missing === null ? '' : ` (${missing})`}`, () => {
  describeStore(async () => {
    const database = await createTestDatabase()
    return {
      open: () => openStore({ databaseUrl: database.url, folder: '' }),
      [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
    }
  })
})
