import { describe, expect, it } from 'vitest'
import { createRunForm } from '../../../../server/api/run-form.ts'
import { parseOptions } from '../../../../shared/command/command.ts'
import { RUN_OPTIONS, toRunSettings } from '../../../../shared/command/run-options.ts'

const formOf = (words: object = {}) =>
  createRunForm(parseOptions(RUN_OPTIONS, { ...words }), (it) => toRunSettings(it, null))

describe('createRunForm', () => {
  it('should have every option of the command line, as the command line has it', () => {
    const options = new Map(formOf({ clients: '7' }).options.map((it) => [it.name, it]))
    expect([...options.keys()]).toEqual(Object.keys(RUN_OPTIONS))
    expect(options.get('clients')).toMatchObject({
      ...{ flag: '--clients', type: 'number', isInteger: true, default: 7, maximum: 10_000 },
      ...{ isFixed: false, placeholder: 'N', usage: 'clients in a cohort' },
    })
    expect(options.get('tune')).toMatchObject({
      ...{ type: 'choice', choices: ['both', 'labels', 'distill', 'none'], default: 'both' },
    })
    expect(options.get('rehearse')).toMatchObject({ type: 'flag', default: false })
    expect(options.get('quorum')).toMatchObject({ type: 'number', default: null })
    expect(options.get('channels')).toMatchObject({ type: 'choice', choices: [1, 3] })
    expect(options.get('data')).toMatchObject({ type: 'text', isFixed: true })
  })

  it('should make the settings that the command line makes, of words as of values', () => {
    const given = { clients: '3', rounds: 2, rehearse: true, target: '', seed: null }
    const settings = toRunSettings(
      parseOptions(RUN_OPTIONS, { clients: 3, rounds: 2, rehearse: true }),
      null,
    )
    expect(formOf().toSettings(given)).toEqual(settings)
  })

  it('should take what the coordinator was started with for what nobody says, and let a flag be taken back', () => {
    const form = formOf({ clients: 9, rehearse: true })
    expect(form.toSettings({})).toMatchObject({ clients: 9, rehearse: true })
    expect(form.toSettings({ rehearse: false, clients: null })).toMatchObject({
      clients: 2,
      rehearse: false,
    })
  })

  it.each([
    [{ clients: 0 }, '--clients 0 is not allowed'],
    [{ colour: 'red' }, 'no option colour'],
    [{ data: '/etc' }, '--data is for the command line'],
    [{ from: 'a.safetensors' }, '--from is for the command line'],
  ])('should refuse %j', (given, reason) => {
    expect(() => formOf().toSettings(given)).toThrow(reason)
  })
})
