import { contentKinds } from './kinds/content.ts'
import { headerKinds } from './kinds/header.ts'
import { tensorKinds } from './kinds/tensors.ts'
import { transferKinds } from './kinds/transfer.ts'

export const FILE_KINDS = [...headerKinds, ...tensorKinds, ...contentKinds, ...transferKinds]
