import { reduce, type Action } from "./reducer";
import type { State } from "./state";

/** Told after actions were applied; `before` is the state that they were applied to. */
export type Effect = (action: Action, before: State, now: State) => void;

/** What parts of the engine use of the store. */
export interface StoreAccess {
  readonly state: () => State;
  dispatch(...actions: readonly Action[]): void;
  /** Runs `work`; whatever it dispatches is told to screens once, at its end. */
  batch(work: () => void): void;
}

/**
 * Holds the one state of a page. Actions that come together are applied together, and screens hear of them once.
 */
export class Store implements StoreAccess {
  private current: State;
  private readonly subscribers = new Set<() => void>();
  private readonly effects: Effect[] = [];
  private depth = 0;
  private told: State;

  constructor(initial: State) {
    this.current = initial;
    this.told = initial;
  }

  readonly state = (): State => this.current;

  readonly subscribe = (changed: () => void): (() => void) => {
    this.subscribers.add(changed);
    return () => this.subscribers.delete(changed);
  };

  /** Adds something that happens because the state changed. Effects run in the order they were added. */
  onAction(effect: Effect): void {
    this.effects.push(effect);
  }

  dispatch(...actions: readonly Action[]): void {
    this.batch(() => {
      for (const action of actions) {
        const before = this.current;
        this.current = reduce(before, action);
        for (const effect of this.effects) effect(action, before, this.current);
      }
    });
  }

  batch(work: () => void): void {
    this.depth++;
    try {
      work();
    } finally {
      this.depth--;
      if (this.depth === 0 && this.told !== this.current) {
        this.told = this.current;
        for (const changed of [...this.subscribers]) changed();
      }
    }
  }
}
