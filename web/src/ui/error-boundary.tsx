import { Component, type ReactNode } from "react";

/** Catches what a screen throws and shows a way out; mounts its children again when `resetKey` changes. */
export class ErrorBoundary extends Component<
  { fallback: (error: Error) => ReactNode; resetKey?: string; children: ReactNode },
  { error: Error | null }
> {
  override state: { error: Error | null } = { error: null };

  static getDerivedStateFromError(error: unknown) {
    return { error: error instanceof Error ? error : new Error(String(error)) };
  }

  override componentDidUpdate(before: { resetKey?: string }) {
    if (this.state.error && before.resetKey !== this.props.resetKey) this.setState({ error: null });
  }

  override render() {
    return this.state.error ? this.props.fallback(this.state.error) : this.props.children;
  }
}
