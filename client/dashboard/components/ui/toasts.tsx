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

/** Says something in passing, in the place of what was said before; screen readers hear it too. */
export function useToast(): Tell {
  const tell = useContext(ToastContext)
  if (tell === null) throw new TypeError('useToast is used outside of Toasts')
  return tell
}

export function Toasts({ children }: { readonly children: ReactNode }) {
  const [shown, setShown] = useState<Notice | null>(null)
  const tell = useCallback<Tell>((notice) => {
    // One at a time: more of them would hide the page.
    setShown((before) => ({ ...notice, id: (before?.id ?? 0) + 1 }))
  }, [])
  return (
    <ToastContext value={tell}>
      <Toast.Provider swipeDirection="right" duration={7000}>
        {children}
        {shown && (
          <Toast.Root
            key={shown.id}
            className={`toast ${shown.tone}`}
            onOpenChange={(isOpen) =>
              !isOpen && setShown((now) => (now?.id === shown.id ? null : now))
            }
          >
            <div>
              <Toast.Title className="toast-title">{shown.title}</Toast.Title>
              <Toast.Description asChild>
                <div className="toast-body">{shown.body}</div>
              </Toast.Description>
            </div>
            <Toast.Close className="button quiet" aria-label="Dismiss">
              ×
            </Toast.Close>
          </Toast.Root>
        )}
        <Toast.Viewport className="toasts" />
      </Toast.Provider>
    </ToastContext>
  )
}
