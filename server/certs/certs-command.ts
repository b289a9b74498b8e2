import { X509Certificate } from 'node:crypto'
import { Command } from 'commander'
import { z } from 'zod'
import { defineCommand, numeric } from '../../shared/command/command.ts'
import { JSON_OPTION } from '../../shared/command/common-options.ts'
import { list } from '../../shared/command/list-option.ts'
import { writeJson } from '../../shared/command/write-json.ts'
import { ClientId } from '../../shared/ids.ts'
import { readCertificates } from '../../shared/tls/certificate-file.ts'
import { assertIsFree, filesOf, readAuthority, writePair } from './certificate-folder.ts'
import { describeCertificate, reportCertificate } from './describe-certificate.ts'
import type { Issued } from './issue.ts'

/** Ten years: whoever trusts an authority has its file, and changing that on every machine is work. */
const AUTHORITY_DAYS = 3650
/** What browsers take at most from a public authority. */
const LEAF_DAYS = 397

/** A name of a host or a whole domain of hosts, or an address. */
const HOST = /^(\*\.)?[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$|^[0-9a-f:.]{2,45}$/i

const days = (usual: number) =>
  numeric(z.int().positive().max(36_500))
    .default(usual)
    .describe('days until it expires')
    .meta({ value: 'N' })

const COMMON = {
  dir: z
    .string()
    .min(1)
    .default('graft-certs')
    .describe('folder of the authority and of what it signs')
    .meta({ value: 'DIR' }),
  replace: z.literal(true).optional().describe('overwrite files that are there'),
  json: JSON_OPTION,
}

const caCommand = defineCommand({
  name: 'ca',
  summary: 'make a private certificate authority',
  examples: ['graft certs ca', 'graft certs ca --dir ~/certs --name "Clinics of the north"'],
  options: {
    name: z
      .string()
      .trim()
      .min(1)
      .max(64)
      .default('Graft private CA')
      .describe('what the authority calls itself')
      .meta({ value: 'TEXT' }),
    days: days(AUTHORITY_DAYS),
    ...COMMON,
  },
  run: async ({ name, days, ...where }) => {
    await make(
      'ca',
      where,
      async () => (await import('./issue.ts')).issueAuthority(name, { days }),
      [
        'Give ca.pem to every client (--tls-ca). Keep ca-key.pem where nobody else can read it: who has it can pose as any coordinator.',
      ],
    )
  },
})

const serverCommand = defineCommand({
  name: 'server',
  summary: 'make the certificate of a coordinator',
  examples: [
    'graft certs server --host graft.example.org,10.0.0.5',
    'graft certs server --host localhost,127.0.0.1,::1 --replace',
  ],
  options: {
    host: list(
      z.string().regex(HOST, 'must be a host name, as in graft.example.org, or an IP address'),
    )
      .describe('names and addresses by which clients reach the coordinator, with commas')
      .meta({ value: 'NAMES' }),
    days: days(LEAF_DAYS),
    ...COMMON,
  },
  run: async ({ host, days, ...where }) => {
    const issue = async (authority: Issued) =>
      (await import('./issue.ts')).issueServer(authority, host as [string, ...string[]], { days })
    await make('server', where, async () => issue(await readAuthority(where.dir)), [
      `Start the coordinator with --tls-cert ${filesOf(where.dir, 'server').certificate} --tls-key ${filesOf(where.dir, 'server').key}.`,
    ])
  },
})

const clientCommand = defineCommand({
  name: 'client',
  summary: 'make the certificate of a client, for mutual TLS',
  examples: ['graft certs client clinic-a'],
  args: ['name'],
  options: {
    name: ClientId.describe('the client’s name in the federation'),
    days: days(LEAF_DAYS),
    ...COMMON,
  },
  run: async ({ name, days, ...where }) => {
    const issue = async (authority: Issued) =>
      (await import('./issue.ts')).issueClient(authority, name, { days })
    const file = `client-${name}`
    await make(file, where, async () => issue(await readAuthority(where.dir)), [
      `Give both files and ca.pem to ${name} alone: --tls-cert ${file}.pem --tls-key ${file}-key.pem --tls-ca ca.pem.`,
      `The coordinator asks for such certificates with --tls-client-ca ${filesOf(where.dir, 'ca').certificate}.`,
    ])
  },
})

const showCommand = defineCommand({
  name: 'show',
  summary: 'say what a certificate is for and when it expires',
  examples: ['graft certs show graft-certs/server.pem'],
  args: ['file'],
  options: { file: z.string().min(1).describe('PEM file'), json: JSON_OPTION },
  run: async ({ file, json }) => {
    const reports = (await readCertificates(file)).map((each) => reportCertificate(each))
    if (json !== undefined) await writeJson({ file, certificates: reports }, json)
    else process.stdout.write(`${reports.flatMap(describeCertificate).join('\n')}\n`)
  },
})

/** `graft certs ca|server|client|show`: a private certificate authority for a federation. */
export const certsCommand = new Command('certs')
  .summary('make certificates for TLS')
  .description(
    'Make a private certificate authority, and certificates for coordinators and clients.',
  )
  .addCommand(caCommand)
  .addCommand(serverCommand)
  .addCommand(clientCommand)
  .addCommand(showCommand)

interface Where {
  readonly dir: string
  readonly replace?: true | undefined
  readonly json?: string | true | undefined
}

async function make(
  name: string,
  { dir, replace, json }: Where,
  issue: () => Promise<Issued>,
  advice: readonly string[],
): Promise<void> {
  const files = filesOf(dir, name)
  if (replace !== true) await assertIsFree(files)
  const issued = await issue()
  await writePair(dir, files, issued)
  const report = reportCertificate(new X509Certificate(issued.certificate))
  if (json !== undefined) {
    await writeJson({ ...files, ...report }, json)
    return
  }
  const lines = [
    ...describeCertificate(report),
    `Certificate: ${files.certificate}. Key: ${files.key}, readable by you alone.`,
    ...advice,
  ]
  process.stdout.write(`${lines.join('\n')}\n`)
}
