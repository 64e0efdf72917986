const storageKey = "blabber-hive:sound";

/** Whether this device plays a sound for new messages; only if asked for. */
export function soundWanted(): boolean {
  return localStorage.getItem(storageKey) === "on";
}

/** Turns the sound on or off on this device. */
export function chooseSound(on: boolean): void {
  if (on) localStorage.setItem(storageKey, "on");
  else localStorage.removeItem(storageKey);
}

/**
 * Plays two soft notes, a fifth apart, in a fifth of a second. Browsers may refuse before the page was touched; then it
 * is silent.
 */
export function playSound(): void {
  const audio = new AudioContext();
  const end = audio.currentTime + 0.22;
  for (const [frequency, from] of [
    [660, 0],
    [990, 0.08],
  ] as const) {
    const tone = audio.createOscillator();
    const volume = audio.createGain();
    tone.frequency.value = frequency;
    volume.gain.setValueAtTime(0.0001, audio.currentTime + from);
    volume.gain.exponentialRampToValueAtTime(0.08, audio.currentTime + from + 0.01);
    volume.gain.exponentialRampToValueAtTime(0.0001, end);
    tone.connect(volume).connect(audio.destination);
    tone.start(audio.currentTime + from);
    tone.stop(end);
    tone.onended = () => {
      if (frequency === 990) void audio.close();
    };
  }
}
