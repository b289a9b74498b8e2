import { type ReactNode, useEffect, useRef } from 'react'
import { NavigationType, useLocation, useNavigationType } from 'react-router'

interface PageProps {
  readonly title: string
  /** Behind the title where that is only half of it, e.g. a status. */
  readonly aside?: ReactNode
  readonly lead?: ReactNode
  readonly actions?: ReactNode
  readonly children: ReactNode
}

/** A page with its one heading, which takes the focus when the page is come to by a link. */
export function Page({ title, aside, lead, actions, children }: PageProps) {
  const heading = useRef<HTMLHeadingElement>(null)
  const how = useNavigationType()
  const place = useLocation().pathname
  useEffect(() => {
    document.title = `${title} · Graft`
  }, [title])
  // Not when the page is loaded, nor for going back, where the browser puts things as they were.
  useEffect(() => {
    if (how === NavigationType.Push) heading.current?.focus()
  }, [how, place])
  return (
    <>
      <div className="page-head">
        <div className="page-title">
          <h1 ref={heading} tabIndex={-1}>
            {title}
          </h1>
          {aside}
        </div>
        {actions !== undefined && <div className="page-actions">{actions}</div>}
        {lead !== undefined && <div className="lead">{lead}</div>}
      </div>
      {children}
    </>
  )
}

interface SectionProps {
  readonly title: string
  readonly note?: ReactNode
  readonly actions?: ReactNode
  readonly className?: string
  readonly children: ReactNode
}

export function Section({ title, note, actions, className = '', children }: SectionProps) {
  const id = `s-${title.toLowerCase().replaceAll(/[^a-z]+/g, '-')}`
  return (
    <section className={`section ${className}`} aria-labelledby={id}>
      <div className="section-head">
        <h2 id={id}>{title}</h2>
        {note !== undefined && <p className="note">{note}</p>}
        {actions}
      </div>
      {children}
    </section>
  )
}
