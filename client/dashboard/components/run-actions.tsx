import { useNavigate } from 'react-router'
import type { RunResource } from '../../../shared/protocol/operator/resources.ts'
import { useLive } from '../lib/use-live.ts'
import { Confirm } from './confirm.tsx'

/** What can be done with a run, by what it is at. */
export function RunActions({ run }: { readonly run: RunResource }) {
  const navigate = useNavigate()
  const round = useLive(({ federation }) => federation?.round ?? null)
  const name = `run ${run.number}`
  const common = { needs: 'operator', path: `/runs/${run.id}/actions` } as const
  const isOn = run.status === 'running' || run.status === 'paused'
  const isWaiting = round?.phase === 'recruiting' || round?.phase === 'collecting'
  if (!isOn && run.status !== 'queued')
    return (
      <Confirm
        {...common}
        action="Run again"
        title={`Run the settings of ${name} again?`}
        body={{ action: 'retry' }}
        done={`A run with the settings of ${name} was created`}
        onDone={(answer) => void navigate(`/runs/${idOf(answer) ?? ''}`)}
      >
        A new run with the same settings starts from the newest model of this one.
      </Confirm>
    )
  return (
    <>
      {run.status === 'paused' ? (
        <Confirm
          {...common}
          action="Resume"
          kind="primary"
          title={`Resume ${name}?`}
          body={{ action: 'resume' }}
          done={`Resumed ${name}`}
        >
          The next round begins at once.
        </Confirm>
      ) : (
        <Confirm
          {...common}
          action="Pause"
          refusal={run.status === 'queued' ? 'It has not begun.' : null}
          title={`Pause ${name}?`}
          body={{ action: 'pause' }}
          done={`Paused ${name}`}
        >
          The round that goes on ends first; the next one waits until somebody resumes the run.
        </Confirm>
      )}
      <Confirm
        {...common}
        action="End round now"
        refusal={isWaiting ? null : 'No clients are waited for: there is nothing to cut short.'}
        title={`End round ${round?.round ?? ''} now?`}
        body={{ action: 'end-round' }}
        done={`Ended round ${round?.round ?? ''}`}
      >
        {round !== null && round.updates < round.quorum
          ? `As if the deadline had passed: with ${round.updates} of the ${round.quorum} updates of the quorum, the round fails.`
          : 'As if the deadline had passed: the updates that are there are fused.'}
      </Confirm>
      <Confirm
        {...common}
        action="Stop run"
        kind="danger"
        title={`Stop ${name}?`}
        body={{ action: 'stop' }}
        done={`Stopped ${name}`}
      >
        There are no more rounds, and the one that goes on is given up. Models that were published
        stay.
      </Confirm>
    </>
  )
}

function idOf(answer: unknown): string | undefined {
  const isRun = typeof answer === 'object' && answer !== null && 'id' in answer
  return isRun ? String(answer.id) : undefined
}
