/** The mark: a cell of the hive that speaks. Decorative; the name stands beside it. */
export function Mark({ size = 24 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="1.6 1.6 28.8 28.8" aria-hidden="true" focusable="false">
      <path
        d="M13.8 2.6a4.4 4.4 0 0 1 4.4 0l7.1 4.1a4.4 4.4 0 0 1 2.2 3.8v8.2a4.4 4.4 0 0 1-2.2 3.8l-7.1 4.1a4.4 4.4 0 0 1-1.5.55L11.5 30.3a.9.9 0 0 1-1.4-.95l.5-3.6-3.9-2.25a4.4 4.4 0 0 1-2.2-3.8v-9.2a4.4 4.4 0 0 1 2.2-3.8z"
        fill="var(--accent)"
      />
      <path
        d="M10.8 12.4h10.4M10.8 17.2h6.4"
        stroke="var(--on-accent)"
        strokeWidth="2.4"
        strokeLinecap="round"
        fill="none"
      />
    </svg>
  );
}
