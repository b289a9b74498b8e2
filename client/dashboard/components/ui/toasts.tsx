import { Toast } from 'radix-ui'
import { createContext, type ReactNode, useCallback, useContext, useState } from 'react'

interface Notice {
  readonly id: number
  readonly title: string
  readonly body: ReactNode
  readonly tone: 'good' | 'bad'
}

type Tell = (notice: Omit<Notice, 'id'>) => void

const ToastContext = createContext<Tell | null>(null)

/** Says something in passing; screen readers hear it too. */
export function useToast(): Tell {
  const tell = useContext(ToastContext)
  if (tell === null) throw new TypeError('useToast is used outside of Toasts')
  return tell
}

export function Toasts({ children }: { readonly children: ReactNode }) {
  const [notices, setNotices] = useState<readonly Notice[]>([])
  const tell = useCallback<Tell>((notice) => {
    setNotices((before) => [...before.slice(-3), { ...notice, id: (before.at(-1)?.id ?? 0) + 1 }])
  }, [])
  const remove = (id: number) => setNotices((before) => before.filter((one) => one.id !== id))
  return (
    <ToastContext value={tell}>
      <Toast.Provider swipeDirection="right" duration={7000}>
        {children}
        {notices.map(({ id, title, body, tone }) => (
          <Toast.Root
            key={id}
            className={`toast ${tone}`}
            onOpenChange={(isOpen) => !isOpen && remove(id)}
          >
            <div>
              <Toast.Title className="toast-title">{title}</Toast.Title>
              <Toast.Description asChild>
                <div className="toast-body">{body}</div>
              </Toast.Description>
            </div>
            <Toast.Close className="button quiet" aria-label="Dismiss">
              ×
            </Toast.Close>
          </Toast.Root>
        ))}
        <Toast.Viewport className="toasts" />
      </Toast.Provider>
    </ToastContext>
  )
}
