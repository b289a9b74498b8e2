import type { Role } from '../../../shared/protocol/operator/role.ts'

/** The order of `ROLES` there, which comes with zod: a page does without. */
const RANK = { viewer: 0, operator: 1, admin: 2 } as const satisfies Record<Role, number>

/** Whether `role` may do what takes `needed`. The coordinator decides; this only spares a refusal. */
export function mayAct(role: Role, needed: Role): boolean {
  return RANK[role] >= RANK[needed]
}
