import { useState, type ReactNode } from "react";
import { useTranslation } from "../i18n/use-translation";
import { Button } from "./button";
import { Dialog, DialogActions } from "./dialog";
import { InlineError } from "./inline-error";

/** Asks before what cannot be taken back; stays open with the reason when it fails. */
export function ConfirmDialog({
  open,
  onOpenChange,
  title,
  description,
  action,
  onConfirm,
  describeError,
  danger = true,
  ready = true,
  children,
}: {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  title: string;
  description?: ReactNode;
  /** The verb on the button, never just "OK". */
  action: string;
  onConfirm: () => Promise<void>;
  describeError: (error: unknown) => string;
  /** False where nothing is lost. */
  danger?: boolean;
  /** False until what has to be filled in is. */
  ready?: boolean;
  children?: ReactNode;
}) {
  const { t } = useTranslation();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string>();

  async function confirm() {
    setBusy(true);
    setError(undefined);
    try {
      await onConfirm();
      onOpenChange(false);
    } catch (reason) {
      setError(describeError(reason));
    } finally {
      setBusy(false);
    }
  }

  return (
    <Dialog
      open={open}
      onOpenChange={(next) => {
        if (!next) setError(undefined);
        onOpenChange(next);
      }}
      title={title}
      description={description}
    >
      {children}
      <InlineError message={error} />
      <DialogActions>
        <Button
          onClick={() => {
            onOpenChange(false);
          }}
        >
          {t("common.cancel")}
        </Button>
        <Button
          kind={danger ? "danger" : "primary"}
          busy={busy}
          disabled={!ready}
          onClick={() => void confirm()}
        >
          {action}
        </Button>
      </DialogActions>
    </Dialog>
  );
}
