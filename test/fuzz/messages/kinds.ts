import { envelopeKinds } from './kinds/envelope.ts'
import { frameKinds } from './kinds/frames.ts'
import { handshakeKinds } from './kinds/handshake.ts'
import { msgpackKinds } from './kinds/msgpack.ts'
import { payloadKinds } from './kinds/payload.ts'
import { turnKinds } from './kinds/turn.ts'

export const MESSAGE_KINDS = [
  ...handshakeKinds,
  ...payloadKinds,
  ...turnKinds,
  ...envelopeKinds,
  ...msgpackKinds,
  ...frameKinds,
]
