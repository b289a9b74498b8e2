// The library's container of algorithms asks for this when it is imported, and does not bring it.
import 'reflect-metadata'
import * as x509 from '@peculiar/x509'
import { webcrypto } from 'node:crypto'

x509.cryptoProvider.set(webcrypto)

export { x509 }
