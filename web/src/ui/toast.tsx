import { X } from "lucide-react";
import { createContext, use, useCallback, useEffect, useMemo, useRef, useState, type ReactNode } from "react";
import { useTranslation } from "../i18n/use-translation";
import styles from "./toast.module.css";

/** What a toast says, and what it can do about it. */
export interface ToastContent {
  message: string;
  action?: { label: string; run: () => void };
  /** Called when it goes away by itself or is closed, not when its action was taken. */
  onExpire?: () => void;
}

interface ShownToast extends ToastContent {
  id: number;
}

const toastShownMs = 6000;
const toastsShownMax = 3;

const ToastContext = createContext<((content: ToastContent) => void) | null>(null);

/** Says something that needs no answer; `action` offers to take it back. */
export function useToast(): (content: ToastContent) => void {
  const show = use(ToastContext);
  if (!show) throw new Error("useToast outside ToastProvider");
  return show;
}

/** Holds the toasts of the app and reads them out politely. */
export function ToastProvider({ children }: { children: ReactNode }) {
  const { t } = useTranslation();
  const [toasts, setToasts] = useState<readonly ShownToast[]>([]);
  const nextId = useRef(0);

  const show = useCallback((content: ToastContent) => {
    const id = nextId.current++;
    setToasts((before) => {
      // The oldest makes room; it expires as if its time had come, so that an undo window is never left open.
      const dropped = before.slice(0, Math.max(0, before.length - toastsShownMax + 1));
      for (const toast of dropped) queueMicrotask(() => toast.onExpire?.());
      return [...before.slice(dropped.length), { ...content, id }];
    });
  }, []);

  const remove = useCallback((id: number) => {
    setToasts((before) => before.filter((toast) => toast.id !== id));
  }, []);

  const context = useMemo(() => show, [show]);
  return (
    <ToastContext value={context}>
      {children}
      <section
        className={styles.region}
        aria-label={t("common.notices")}
        aria-live="polite"
        aria-relevant="additions"
      >
        {toasts.map((toast) => (
          <Toast key={toast.id} toast={toast} onRemove={remove} />
        ))}
      </section>
    </ToastContext>
  );
}

function Toast({ toast, onRemove }: { toast: ShownToast; onRemove: (id: number) => void }) {
  const { t } = useTranslation();
  const [held, setHeld] = useState(false);

  const expire = useCallback(() => {
    onRemove(toast.id);
    toast.onExpire?.();
  }, [onRemove, toast]);

  // Time stands still while a person points at it or has it focused.
  useEffect(() => {
    if (held) return;
    const timer = setTimeout(expire, toastShownMs);
    return () => {
      clearTimeout(timer);
    };
  }, [held, expire]);

  return (
    <div
      className={styles.toast}
      onPointerEnter={() => {
        setHeld(true);
      }}
      onPointerLeave={() => {
        setHeld(false);
      }}
      onFocus={() => {
        setHeld(true);
      }}
      onBlur={() => {
        setHeld(false);
      }}
    >
      <span className={styles.words}>{toast.message}</span>
      {toast.action && (
        <button
          type="button"
          className={styles.action}
          onClick={() => {
            onRemove(toast.id);
            toast.action?.run();
          }}
        >
          {toast.action.label}
        </button>
      )}
      <button type="button" className={styles.close} aria-label={t("common.close")} onClick={expire}>
        <X aria-hidden="true" />
      </button>
    </div>
  );
}
